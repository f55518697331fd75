# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ssictl_global_optspecs
    string join \n h/help V/version
end

function __fish_ssictl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ssictl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ssictl_using_subcommand
    set -l cmd (__fish_ssictl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ssictl -n "__fish_ssictl_needs_command" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_needs_command" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "join" -d 'Join the cluster that a file describes'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "leave" -d 'Leave the cluster; refused while applications run here'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "drain" -d 'Move all applications to other nodes: checkpoint them, end them, restart them there'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "flush" -d 'Write a version from the nodes\' memory to disk, where it survives the loss of all of them'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "limits" -d 'Show the bounds of this implementation, or set the memory of this node for checkpoints'
complete -c ssictl -n "__fish_ssictl_needs_command" -f -a "status" -d 'Show the nodes, or with --processes the CHECKPOINTABLE processes of this node'
complete -c ssictl -n "__fish_ssictl_using_subcommand join" -l config -d 'File that describes the cluster' -r -F
complete -c ssictl -n "__fish_ssictl_using_subcommand join" -l node -d 'Number of this node, in place of the one in the file' -r
complete -c ssictl -n "__fish_ssictl_using_subcommand join" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_using_subcommand join" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_using_subcommand leave" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_using_subcommand leave" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_using_subcommand drain" -l store -d 'Folder of the checkpoints, the same on every node' -r -F
complete -c ssictl -n "__fish_ssictl_using_subcommand drain" -l leave -d 'Leave the cluster afterwards'
complete -c ssictl -n "__fish_ssictl_using_subcommand drain" -l json -d 'As JSON, one object per application'
complete -c ssictl -n "__fish_ssictl_using_subcommand drain" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_using_subcommand drain" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_using_subcommand flush" -l store -d 'Folder of the checkpoints on disk, the same on every node' -r -F
complete -c ssictl -n "__fish_ssictl_using_subcommand flush" -l copies -d 'Copies of every part: 1 where all nodes share the store, 2 where each has its own' -r
complete -c ssictl -n "__fish_ssictl_using_subcommand flush" -l json -d 'As JSON'
complete -c ssictl -n "__fish_ssictl_using_subcommand flush" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ssictl -n "__fish_ssictl_using_subcommand flush" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_using_subcommand limits" -l memory -d 'Set the memory of this node for checkpoints, as in 25% (1 to 90), 512MiB or 4GiB; 0: none. What is there stays' -r
complete -c ssictl -n "__fish_ssictl_using_subcommand limits" -l json -d 'As JSON'
complete -c ssictl -n "__fish_ssictl_using_subcommand limits" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_using_subcommand limits" -s V -l version -d 'Print version'
complete -c ssictl -n "__fish_ssictl_using_subcommand status" -l processes -d 'Show the CHECKPOINTABLE processes of this node'
complete -c ssictl -n "__fish_ssictl_using_subcommand status" -l json -d 'As JSON'
complete -c ssictl -n "__fish_ssictl_using_subcommand status" -s h -l help -d 'Print help'
complete -c ssictl -n "__fish_ssictl_using_subcommand status" -s V -l version -d 'Print version'
