# chasquid on one port.
set -e
install -d /etc/chasquid/certs/mail.example.test /etc/chasquid/domains/example.org /var/lib/chasquid /var/log/chasquid
cp "$CERT" /etc/chasquid/certs/mail.example.test/fullchain.pem
cp "$KEY" /etc/chasquid/certs/mail.example.test/privkey.pem
cat >/etc/chasquid/chasquid.conf <<END
hostname: "mail.example.test"
smtp_address: "127.0.0.1:$PORT"
submission_address: "127.0.0.1:1"
data_dir: "/var/lib/chasquid"
mail_log_path: "<stdout>"
mail_delivery_agent_bin: "/bin/sh"
mail_delivery_agent_args: "-c"
mail_delivery_agent_args: "cat >>/run/survey/box"
END
chasquid-util user-add b@example.org --password=p || true
chown -R chasquid /etc/chasquid /var/lib/chasquid || true
touch /run/survey/box && chmod 666 /run/survey/box
exec chasquid
