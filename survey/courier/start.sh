# Courier on one port; without DNS it must not look names up.
set -e
id b >/dev/null 2>&1 || useradd -m -d /var/local/b b
install -d -o courier -g courier /run/courier
cat "$KEY" "$CERT" >/etc/courier/esmtpd.pem
chown courier:courier /etc/courier/esmtpd.pem && chmod 640 /etc/courier/esmtpd.pem
echo mail.example.test >/etc/courier/me
printf 'localhost\nexample.org\n' >/etc/courier/locals
echo example.org >/etc/courier/esmtpacceptmailfor
echo example.org >/etc/courier/defaultdomain
sed -i -e "s/^PORT=.*/PORT=$PORT/" -e 's/^BOFHCHECKDNS=.*/BOFHCHECKDNS=0/' \
    -e 's/^MAXPERIP=.*/MAXPERIP=40/' -e 's/^TARPIT=.*/TARPIT=0/' \
    -e 's/^ESMTPAUTH_TLS=.*/ESMTPAUTH_TLS="PLAIN LOGIN"/' -e '/^ADDRESS=/d' \
    -e 's/-noidentlookup\( -nodnslookup\)*/-noidentlookup -nodnslookup/' /etc/courier/esmtpd
echo 'ADDRESS=127.0.0.1' >>/etc/courier/esmtpd
makesmtpaccess
makeacceptmailfor
makealiases
[ -d /var/local/b/Maildir ] || maildirmake /var/local/b/Maildir
chown -R b:b /var/local/b
install -d -o courier /run/courier/authdaemon
authdaemond start || true
courierfilter start
courier start
sleep 1
esmtpd start
exec sleep 100000
