# Haraka as `haraka -i` sets it up, with TLS and a password; takes mail for example.org, and discards it.
set -e
config="$WORK/config"
mkdir -p "$config" "$WORK/plugins"
cp "$NODE_PATH"/Haraka/config/*.ini "$config"
cp "$CERT" "$config/tls_cert.pem"
cp "$KEY" "$config/tls_key.pem"
echo mail.example.test >"$config/me"
echo example.org >"$config/host_list"
printf '[main]\nlisten=127.0.0.1:%s\n' "$PORT" >"$config/smtp.ini"
printf '[main]\nkey=tls_key.pem\ncert=tls_cert.pem\n' >"$config/tls.ini"
printf '[core]\nmethods=PLAIN,LOGIN\n[users]\nu=p\n' >"$config/auth_flat_file.ini"
# Nobody is asked for the name of 127.0.0.1.
echo 'exports.hook_lookup_rdns = (next) => next(OK, "localhost");' >"$WORK/plugins/no_rdns.js"
printf 'no_rdns\ntls\nauth/flat_file\nrcpt_to.in_host_list\nqueue/discard\n' >"$config/plugins"
export YES_REALLY_DO_DISCARD=1
exec haraka -c "$WORK"
