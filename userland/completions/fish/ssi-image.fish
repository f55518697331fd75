# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ssi_image_global_optspecs
    string join \n json store= h/help V/version
end

function __fish_ssi_image_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ssi_image_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ssi_image_using_subcommand
    set -l cmd (__fish_ssi_image_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ssi-image -n "__fish_ssi_image_needs_command" -l store -d 'Folder of the checkpoints' -r -F
complete -c ssi-image -n "__fish_ssi_image_needs_command" -l json -d 'As JSON, one object per line'
complete -c ssi-image -n "__fish_ssi_image_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ssi-image -n "__fish_ssi_image_needs_command" -s V -l version -d 'Print version'
complete -c ssi-image -n "__fish_ssi_image_needs_command" -f -a "print" -d 'Print every record: its place, its kind, what it is about, what it says'
complete -c ssi-image -n "__fish_ssi_image_needs_command" -f -a "verify" -d 'Check whole versions: every record, every digest, every page, every sum'
complete -c ssi-image -n "__fish_ssi_image_needs_command" -f -a "diff" -d 'Show what differs between two images; exit status 6 where something does'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand print" -l store -d 'Folder of the checkpoints' -r -F
complete -c ssi-image -n "__fish_ssi_image_using_subcommand print" -l json -d 'As JSON, one object per line'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand print" -s h -l help -d 'Print help'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand print" -s V -l version -d 'Print version'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand verify" -l store -d 'Folder of the checkpoints' -r -F
complete -c ssi-image -n "__fish_ssi_image_using_subcommand verify" -l json -d 'As JSON, one object per line'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand verify" -s h -l help -d 'Print help'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand verify" -s V -l version -d 'Print version'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand diff" -l store -d 'Folder of the checkpoints' -r -F
complete -c ssi-image -n "__fish_ssi_image_using_subcommand diff" -l json -d 'As JSON, one object per line'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand diff" -s h -l help -d 'Print help'
complete -c ssi-image -n "__fish_ssi_image_using_subcommand diff" -s V -l version -d 'Print version'
