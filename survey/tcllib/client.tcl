# The package smtp, as its documentation has it.
package require smtp
package require mime
package require tls

lassign $argv host port ca
tls::init -cafile $ca -require 1
proc policy {args} { return secure }
set message [mime::initialize -canonical text/plain -string hi]
smtp::sendmessage $message -servers [list $host] -ports [list $port] -usetls 1 -tlspolicy policy \
    -client client.example -originator a@example.org -recipients b@example.org \
    -debug [info exists env(VERBOSE)] -header {Subject survey}
mime::finalize $message
