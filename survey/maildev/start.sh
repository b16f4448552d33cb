# maildev with a certificate, otherwise as it comes.
exec maildev --ip 127.0.0.1 --smtp "$PORT" --disable-web --mail-directory "$WORK" \
  --incoming-cert "$CERT" --incoming-key "$KEY"
