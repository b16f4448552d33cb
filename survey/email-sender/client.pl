# Email::Sender, as its documentation has it.
use strict;
use warnings;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use Email::Simple;

my ($host, $port) = @ARGV;
my $transport = Email::Sender::Transport::SMTP->new(
    host    => $host,
    port    => $port,
    helo    => 'client.example',
    ssl     => 'starttls',
    timeout => 10,
    debug   => $ENV{VERBOSE} ? 1 : 0,
);
my $message = Email::Simple->create(
    header => [From => 'a@example.org', To => 'b@example.org', Subject => 'survey'],
    body   => "hi\n",
);
sendmail($message, {transport => $transport});
