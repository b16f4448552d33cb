# Exim on one port; EXTRA and REMEMBER are lines of its main section.
set -e
install -d -m 755 /etc/t && install -m 644 "$CERT" "$KEY" /etc/t/
for name in Debian-exim b; do
    id $name >/dev/null 2>&1 || useradd -M $name
done
cat >/etc/exim4/exim4.conf <<END
primary_hostname = mail.example.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = $PORT
tls_advertise_hosts = *
tls_certificate = /etc/t/cert.pem
tls_privatekey = /etc/t/key.pem
host_lookup =
${EXTRA:-}
${REMEMBER:-}
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
begin acl
acl_rcpt:
  accept domains = example.org
  deny message = relay not permitted
begin routers
loc:
  driver = accept
  domains = example.org
  transport = box
begin transports
box:
  driver = appendfile
  file = /var/mail/b
  user = b
  group = mail
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{u}}{eq{\$auth3}{p}}}}
  server_set_id = \$auth2
  server_advertise_condition = \${if def:tls_in_cipher}
END
touch /var/mail/b && chown b:mail /var/mail/b
install -d -o Debian-exim /run/exim4
# A configuration that is not root's is heeded only if it is named.
[ "$(id -u)" = 0 ] || set -- -C /etc/exim4/exim4.conf
exec exim4 -bdf -q30m "$@"
