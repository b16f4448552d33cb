# Net::SMTP, as its documentation has it.
require "net/smtp"

host, port = ARGV
smtp = Net::SMTP.new(host, port.to_i)
smtp.set_debug_output($stderr) if ENV["VERBOSE"]
smtp.open_timeout = smtp.read_timeout = 10
smtp.enable_starttls
smtp.start(helo: "client.example") do |session|
  session.send_message("Subject: survey\r\n\r\nhi\r\n", "a@example.org", "b@example.org")
end
