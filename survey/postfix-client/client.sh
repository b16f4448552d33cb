# Postfix relays what it is given to one host; what is deferred is dropped, once it is in the log.
postfix stop 2>/dev/null
log=/var/log/postfix.log
install -m 644 "$3" /run/ca.pem
: >"$log"
cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
maillog_file = $log
myhostname = client.example
mydestination =
inet_interfaces = loopback-only
default_transport = smtp
relayhost = [$1]:$2
smtp_host_lookup = native
smtp_tls_security_level = $LEVEL
smtp_tls_CAfile = /run/ca.pem
smtp_connect_timeout = 10
smtp_helo_timeout = 10
debug_peer_list = ${VERBOSE:+127.0.0.1}
END
sed -i -e 's/^smtp *inet/#&/' -e 's/^\(smtp .*unix.*\) [yn] \( *[-0-9]* *[-0-9]* *smtp\)$/\1 n \2/' /etc/postfix/master.cf
postfix start
sendmail -f a@example.org b@example.org <message.txt
for _ in $(seq 100); do
    grep -q 'status=' "$log" && break
    sleep 0.2
done
postfix stop
postsuper -d ALL 2>/dev/null
[ -z "${VERBOSE:-}" ] || grep '/smtp\[' "$log"
