complete -c reliable_run -s p -l periodicity -d 'When to take checkpoints: every 30s, 10m, 2h (one second to one year); at the times of a cron expression in local time ("*/15 * * * *"; a sixth field, in front: seconds); auto: at the optimum for their cost and the failures seen; 0: on request' -r
complete -c reliable_run -l mtbf -d 'Mean time between failures of the application\'s nodes taken together, for auto, as in 12h or 5d [default: what the job has seen]' -r
complete -c reliable_run -l media -d 'Where images are kept. The folder of the job is in the store in either case' -r -f -a "disk\t'Files in the store'
memory\t'The memory of the nodes, every part on two of them; no shared store is needed'"
complete -c reliable_run -l keep -d 'Versions that are kept, in memory and on disk; older ones are removed after a commit' -r
complete -c reliable_run -l flush-every -d 'With --media=memory: every N-th version goes to disk, too, into the store, and so does the last one of a job that is stopped. A restart takes one from there where memory has lost it' -r
complete -c reliable_run -l max-restarts -d 'Restarts after COMMAND was ended by a signal although its nodes live, in a row without a new version in between. The death of a node does not count' -r
complete -c reliable_run -l on-checkpoint -d 'Command for the shell after each checkpoint, with SSI_JOB, SSI_APPLICATION, SSI_VERSION and SSI_STORE; it has 60 s' -r
complete -c reliable_run -l on-restart -d 'Command for the shell after each restart, likewise' -r
complete -c reliable_run -l store -d 'Folder of the checkpoints and jobs, the same on every node. With --watch, several' -r -F
complete -c reliable_run -l output -d 'File that takes standard output and error [default: one beside the job, which is shown]' -r -F
complete -c reliable_run -l log -d 'File that takes what is done to the job [default: one beside the job]' -r -F
complete -c reliable_run -l name -d 'Name of the job [default: the next free number]' -r
complete -c reliable_run -l resume -d 'Run a job again that was stopped, from its last version; with its options' -r
complete -c reliable_run -l wait -d 'Wait for the end of a job on any node, and end with its status' -r
complete -c reliable_run -l checkpoint -d 'Ask for a checkpoint of a job' -r
complete -c reliable_run -l stop -d 'Ask for a last checkpoint and the end of a job, as SIGTERM does' -r
complete -c reliable_run -l attend -d 'Serve one job on this node until it is over; --watch starts it' -r
complete -c reliable_run -s l -l list -d 'Show the jobs of the store'
complete -c reliable_run -l json -d 'With --list: as JSON; a failure is a line on standard error all the same'
complete -c reliable_run -l watch -d 'Serve the jobs of the store on this node until killed: the duty of a daemon on every node'
complete -c reliable_run -s h -l help -d 'Print help (see more with \'--help\')'
complete -c reliable_run -s V -l version -d 'Print version'
