// nodemailer, as its documentation has it.
const fs = require("fs");
const nodemailer = require("nodemailer");

const [host, port, ca] = process.argv.slice(2);
nodemailer
  .createTransport({
    host,
    port: Number(port),
    name: "client.example",
    requireTLS: true,
    tls: { ca: fs.readFileSync(ca) },
    connectionTimeout: 10000,
    socketTimeout: 10000,
  })
  .sendMail({ from: "a@example.org", to: "b@example.org", subject: "survey", text: "hi" })
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
