complete -c restart -l media -d 'Where images are kept' -r -f -a "disk\t'Files in the store'
memory\t'The memory of the nodes, every part on two of them; no shared store is needed'"
complete -c restart -l store -d 'Folder of the checkpoints, the same on every node [default: /var/lib/ssi/checkpoints]' -r -F
complete -c restart -l nodes -d 'Use only these nodes, as in 1,4-6' -r
complete -c restart -l avoid -d 'Use all nodes but these' -r
complete -c restart -l output -d 'File that takes what was written to standard streams outside the application' -r -F
complete -c restart -l substitute -d 'Open FILE in place of standard stream FD (0, 1 or 2), where that led out of the application, for processes that come back on this node. Once for each FD' -r
complete -c restart -s l -l list -d 'Only show what was checkpointed'
complete -c restart -l json -d 'Report, or list, as JSON; a failure is a line on standard error all the same'
complete -c restart -s f -l foreground -d 'Wait for the processes that came back on this node, pass signals on to the first one and end with its exit status: 128 and its number where a signal ended it'
complete -c restart -l stopped -d 'Leave the processes stopped, for a debugger; checkpoint --unfreeze PID lets them go on'
complete -c restart -s h -l help -d 'Print help (see more with \'--help\')'
complete -c restart -s V -l version -d 'Print version'
