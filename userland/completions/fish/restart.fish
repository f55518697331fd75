complete -c restart -l store -d 'Folder of the checkpoints, the same on every node' -r -F
complete -c restart -l output -d 'File that takes what was written to standard streams outside the application' -r -F
complete -c restart -s l -l list -d 'Only show what was checkpointed'
complete -c restart -l json -d 'Report, or list, as JSON'
complete -c restart -s h -l help -d 'Print help (see more with \'--help\')'
complete -c restart -s V -l version -d 'Print version'
