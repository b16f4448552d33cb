# OpenSMTPD relays what it is given to one host; what is deferred is dropped, once it is in the log.
log=/var/log/smtpd.log
install -m 644 "$3" /run/ca.pem
echo client.example >/etc/mailname
rm -rf /var/spool/smtpd
install -d -m 711 /var/spool/smtpd
cat >/etc/smtpd.conf <<END
ca lab cert "/run/ca.pem"
listen on socket
action "out" relay host $SCHEME://$1:$2 ca lab
match from any for any action "out"
END
smtpd -d ${VERBOSE:+-T smtp} >"$log" 2>&1 &
for _ in $(seq 100); do
    [ -S /run/smtpd.sock ] && break
    sleep 0.1
done
sendmail -f a@example.org b@example.org <message.txt
for _ in $(seq 100); do
    grep -q ' result=' "$log" && break
    sleep 0.2
done
kill %1 2>/dev/null || kill $!
wait $!
rm -f /run/smtpd.sock
[ -z "${VERBOSE:-}" ] || grep smtp "$log"
