# Dovecot's submission service on one port; behind the login nobody takes the mail.
set -e
cat >/etc/dovecot/dovecot.conf <<END
protocols = submission
listen = 127.0.0.1
first_valid_uid = 8
first_valid_gid = 8
hostname = mail.example.test
base_dir = /run/dovecot
log_path = /dev/stderr
ssl = yes
ssl_cert = <$CERT
ssl_key = <$KEY
disable_plaintext_auth = yes
passdb {
  driver = static
  args = password=p
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/tmp/%u
}
mail_location = maildir:/tmp/%u
submission_relay_host = 127.0.0.1
submission_relay_port = 9
service submission-login {
  inet_listener submission {
    port = $PORT
  }
}
END
exec dovecot -F
