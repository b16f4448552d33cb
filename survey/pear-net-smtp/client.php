<?php
// PEAR's Net_SMTP, as its documentation has it, with STARTTLS asked for by its own method.
require_once 'Net/SMTP.php';

$smtp = new Net_SMTP($argv[1], (int) $argv[2], 'client.example', false, 10);
$smtp->setDebug((bool) getenv('VERBOSE'));
$steps = [
    fn () => $smtp->connect(10),
    fn () => $smtp->starttls(),
    fn () => $smtp->mailFrom('a@example.org'),
    fn () => $smtp->rcptTo('b@example.org'),
    fn () => $smtp->data("Subject: survey\r\n\r\nhi\r\n"),
];
foreach ($steps as $step) {
    $result = $step();
    if (PEAR::isError($result) || $result === false) {
        fwrite(STDERR, ($result ? $result->getMessage() : 'no STARTTLS') . "\n");
        exit(1);
    }
}
$smtp->disconnect();
