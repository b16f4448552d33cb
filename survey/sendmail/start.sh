# Sendmail on one port, with the privacy flags that Debian gives it.
set -e
install -d /etc/t /etc/mail/t /run/sendmail/mta
cp "$CERT" "$KEY" /etc/t/ && chmod 600 /etc/t/key.pem
id b >/dev/null 2>&1 || useradd -M b
touch /etc/mail/local-host-names
install -d /usr/lib/sasl2
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n' |
    tee /usr/lib/sasl2/Sendmail.conf >/etc/sasl/Sendmail.conf 2>/dev/null || true
echo p | saslpasswd2 -c -p -u mail.example.test u || true
cat >/etc/mail/t/one.mc <<END
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
define(\`confPRIVACY_FLAGS',\`needmailhelo,needexpnhelo,needvrfyhelo,restrictqrun,restrictexpand,nobodyreturn,authwarnings')dnl
define(\`confDOMAIN_NAME',\`mail.example.test')dnl
define(\`confCACERT_PATH',\`/etc/ssl/certs')dnl
define(\`confCACERT',\`/etc/t/cert.pem')dnl
define(\`confSERVER_CERT',\`/etc/t/cert.pem')dnl
define(\`confSERVER_KEY',\`/etc/t/key.pem')dnl
define(\`confAUTH_OPTIONS',\`A p y')dnl
define(\`confAUTH_MECHANISMS',\`PLAIN LOGIN')dnl
TRUST_AUTH_MECH(\`PLAIN LOGIN')dnl
define(\`confPID_FILE',\`/run/sm.pid')dnl
FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MTA, Port=$PORT, Addr=127.0.0.1')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`nocanonify')dnl
LOCAL_DOMAIN(\`example.org')dnl
MAILER_DEFINITIONS
MAILER(\`local')dnl
MAILER(\`smtp')dnl
END
cd /etc/mail/t && m4 one.mc >one.cf
exec sendmail -C/etc/mail/t/one.cf -bD -O DeliveryMode=queueonly \
    -O DontBlameSendmail=forwardfileinunsafedirpath,GroupReadableKeyFile
