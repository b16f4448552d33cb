// smtp-server with a certificate and a password, otherwise as it comes; takes mail without a login.
const fs = require("fs");
const { SMTPServer } = require("smtp-server");

const server = new SMTPServer({
  name: "mail.example.test",
  key: fs.readFileSync(process.env.KEY),
  cert: fs.readFileSync(process.env.CERT),
  authOptional: true,
  onAuth: (auth, session, done) =>
    auth.username === "u" && auth.password === "p" ? done(null, { user: "u" }) : done(new Error("no")),
  onData: (stream, session, done) => stream.on("end", done).resume(),
});
// A handshake that fails is told here.
server.on("error", () => {});
server.listen(Number(process.env.PORT), "127.0.0.1");
