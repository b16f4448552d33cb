// smtp-protocol with a certificate, otherwise as it comes; takes every message, and keeps none.
const fs = require("fs");
const smtp = require("smtp-protocol");

const options = {
  domain: "mail.example.test",
  key: fs.readFileSync(process.env.KEY),
  cert: fs.readFileSync(process.env.CERT),
};
smtp
  .createServer(options, (request) => {
    request.on("message", (stream, ack) => {
      stream.resume();
      ack.accept();
    });
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
