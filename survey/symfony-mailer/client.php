<?php
// Symfony Mailer, as its documentation has it: it uses STARTTLS where it is offered.
use Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport;
use Symfony\Component\Mime\Email;

require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$transport = new EsmtpTransport($argv[1], (int) $argv[2]);
$transport->setLocalDomain('client.example');
$transport->getStream()->setTimeout(10);
$email = (new Email())->from('a@example.org')->to('b@example.org')->subject('survey')->text('hi');
$sent = $transport->send($email);
if (getenv('VERBOSE')) {
    echo $sent->getDebug();
}
