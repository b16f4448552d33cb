# Net::SMTP, as its documentation has it.
use strict;
use warnings;
use Net::SMTP;

my ($host, $port) = @ARGV;
my $smtp = Net::SMTP->new(
    $host,
    Port    => $port,
    Hello   => 'client.example',
    Timeout => 10,
    Debug   => $ENV{VERBOSE} ? 1 : 0,
) or die "cannot connect: $@";
$smtp->starttls or die 'starttls: ' . $smtp->message;
$smtp->mail('a@example.org') or die 'mail: ' . $smtp->message;
$smtp->to('b@example.org') or die 'to: ' . $smtp->message;
$smtp->data("Subject: survey\n\nhi\n") or die 'data: ' . $smtp->message;
$smtp->quit;
