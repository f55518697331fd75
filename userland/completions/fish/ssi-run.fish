complete -c ssi-run -l output -d 'File that takes standard output and error; standard input is then /dev/null' -r -F
complete -c ssi-run -l pid-file -d 'File to which the PID of COMMAND is written before it starts' -r -F
complete -c ssi-run -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ssi-run -s V -l version -d 'Print version'
