# The gem mail, as its documentation has it: it uses STARTTLS where it is offered.
require "mail"

host, port = ARGV
Mail.defaults do
  delivery_method :smtp, address: host, port: port.to_i, domain: "client.example",
                         open_timeout: 10, read_timeout: 10
end
Mail.deliver do
  from "a@example.org"
  to "b@example.org"
  subject "survey"
  body "hi"
end
