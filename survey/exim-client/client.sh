# One delivery in the foreground; what is deferred is dropped.
install -m 644 "$3" /run/ca.pem
cat >/etc/exim4/exim4.conf <<END
primary_hostname = client.example
acl_not_smtp = accept
log_selector = +all
begin routers
r:
  driver = manualroute
  route_list = * $1::$2 byname
  self = send
  transport = t
begin transports
t:
  driver = smtp
  hosts_require_tls = *
  tls_verify_certificates = /run/ca.pem
  connect_timeout = 10s
  command_timeout = 10s
begin retry
END
rm -rf /var/spool/exim4/input/* /var/spool/exim4/db/*
exec exim4 -odf ${VERBOSE:+-v} -f a@example.org b@example.org <message.txt
