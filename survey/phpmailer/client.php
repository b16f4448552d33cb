<?php
// PHPMailer, as its documentation has it.
use PHPMailer\PHPMailer\PHPMailer;

foreach (['Exception', 'SMTP', 'PHPMailer'] as $name) {
    require "/usr/share/php/libphp-phpmailer/src/$name.php";
}
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->SMTPDebug = getenv('VERBOSE') ? 4 : 0;
$mail->Debugoutput = 'echo';
$mail->Host = $argv[1];
$mail->Port = (int) $argv[2];
$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
$mail->Hostname = 'client.example';
$mail->Timeout = 10;
$mail->setFrom('a@example.org');
$mail->addAddress('b@example.org');
$mail->Subject = 'survey';
$mail->Body = 'hi';
$mail->send();
