# qpsmtpd's forking server on one port, with a password file and a Maildir.
set -e
install -d /etc/t && install -m 644 "$CERT" "$KEY" /etc/t/
install -d -o qpsmtpd /var/spool/box /var/spool/box/Maildir /var/spool/box/Maildir/cur \
  /var/spool/box/Maildir/new /var/spool/box/Maildir/tmp
install -d -m 700 -o qpsmtpd /var/spool/qpsmtpd
cd /etc/qpsmtpd
echo mail.example.test >me
echo example.org >rcpthosts
echo u:p >flat_auth_pw
cat >plugins <<END
tls /etc/t/cert.pem /etc/t/key.pem /etc/t/cert.pem
auth/auth_flat_file
rcpt_ok
queue/maildir /var/spool/box/Maildir
END
export QPSMTPD_CONFIG=/etc/qpsmtpd
# It asks for the name of 127.0.0.1, or not, and nobody is there to answer.
export RES_OPTIONS="timeout:1 attempts:1"
exec qpsmtpd-forkserver --listen-address 127.0.0.1 --port "$PORT" --user qpsmtpd \
  --limit-connections 100 --max-from-ip 100
