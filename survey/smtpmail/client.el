;; smtpmail, as its manual has it.
(require 'smtpmail)
(require 'gnutls)
(make-directory user-emacs-directory t)
(let ((host (pop command-line-args-left))
      (port (string-to-number (pop command-line-args-left))))
  (setq gnutls-trustfiles (list (pop command-line-args-left)))
  (setq smtpmail-smtp-server host
        smtpmail-smtp-service port
        smtpmail-stream-type 'starttls
        smtpmail-local-domain "example"
        system-name "client"
        network-security-level 'medium
        smtpmail-debug-info (getenv "VERBOSE")
        user-mail-address "a@example.org"
        user-full-name "A")
  (with-temp-buffer
    (insert "From: a@example.org\nTo: b@example.org\nSubject: survey\n"
            mail-header-separator "\nhi\n")
    (smtpmail-send-it)))
