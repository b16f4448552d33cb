# Postfix on one port, with a password database of its own.
set -e
install -d /etc/t && cp "$CERT" "$KEY" /etc/t/
id b >/dev/null 2>&1 || useradd -M b
cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = mail.example.test
mydestination = example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
default_transport = error:no outside mail
maillog_file = /dev/stdout
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/t/cert.pem
smtpd_tls_key_file = /etc/t/key.pem
smtpd_tls_auth_only = $AUTH_ONLY
smtpd_helo_required = $HELO_REQUIRED
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = example.org
smtpd_client_connection_count_limit = 0
biff = no
END
install -d /etc/postfix/sasl
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n' >/etc/postfix/sasl/smtpd.conf
echo p | saslpasswd2 -c -p -u example.org u
chgrp postfix /etc/sasldb2 && chmod 640 /etc/sasldb2
cd /etc/postfix
sed -i -E 's/^(smtp +inet.*)/#\1/; s/^([a-z-]+ +(unix|fifo|inet) +[a-z-]+ +[a-z-]+ +)y/\1n/' master.cf
grep -q '^postlog' master.cf || echo 'postlog unix-dgram n - n - 1 postlogd' >>master.cf
echo "127.0.0.1:$PORT inet n - n - - smtpd" >>master.cf
exec postfix start-fg
