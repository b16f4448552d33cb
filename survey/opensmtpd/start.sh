# OpenSMTPD on one port. Debian 12's pairs with an OpenSSL that its privilege separation does not
# know ("missing private key"): hence Debian 13's.
set -e
install -d /etc/t && cp "$CERT" "$KEY" /etc/t/ && chmod 600 /etc/t/key.pem
install -d -m 711 /var/spool/smtpd
id b >/dev/null 2>&1 || useradd -M b
id u >/dev/null 2>&1 || useradd -M u
echo mail.example.test >/etc/mailname
echo "u $(smtpctl encrypt p)" >/etc/t/creds
chgrp opensmtpd /etc/t/creds && chmod 640 /etc/t/creds
cat >/etc/smtpd.conf <<END
pki mail cert "/etc/t/cert.pem"
pki mail key "/etc/t/key.pem"
table creds file:/etc/t/creds
listen on 127.0.0.1 port $PORT tls pki mail auth-optional <creds> hostname mail.example.test
action "loc" maildir "/var/mail/b" user b
match from any for domain "example.org" action "loc"
END
install -d -o b /var/mail/b
exec smtpd -d
