# What fish reads last in a shell of jupyter_ptytasks (core/shells/start.py), when it has read the files of the user: marks
# around prompts and commands.

set -g __ptytask_nonce $PTYTASK_SHELL_MARKS
set -e PTYTASK_SHELL_MARKS
set -g __ptytask_number 0
set -g __ptytask_told 0

# Prints its argument without control characters and semicolons.
function __ptytask_escape
    set -l text (string sub -l 2000 -- "$argv" | string collect)
    set text (string replace -a '\\' '\\\\' -- $text | string replace -a ';' '\\s' | string replace -a \t '\\t' | string join '\\n')
    string replace -ra '[[:cntrl:]]' '?' -- $text
end

# Prints a mark with what fish knows at any time, and what follows: to the terminal, wherever output goes.
function __ptytask_mark
    set -l now (command date +%s.%N 2>/dev/null)
    printf '\033]133;%s;ptytask=%s;n=%s;t=%s;cwd=%s%s\007' \
        $argv[1] "$__ptytask_nonce" $__ptytask_number "$now" (__ptytask_escape $PWD) "$argv[2]" >/dev/tty
end

function __ptytask_start --on-event fish_preexec
    set -g __ptytask_number (math $__ptytask_number + 1)
    __ptytask_mark C ";cmd="(__ptytask_escape $argv[1])
end

function __ptytask_done --on-event fish_postexec
    set -l code $status
    set -l duration $CMD_DURATION
    # Also called for what was not run, such as a syntax error.
    if test $__ptytask_number != $__ptytask_told
        __ptytask_mark "D;$code" ";d=$duration"
        set -g __ptytask_told $__ptytask_number
        set -g __ptytask_is_told
    end
end

# fish shows the prompt again then, with the line that it does not understand.
function __ptytask_error --on-event fish_posterror
    __ptytask_mark D ";status=2"
end

function __ptytask_prompt --on-event fish_prompt
    set -l code $status
    if not set -q __ptytask_is_told
        __ptytask_mark D ";status=$code"
    end
    set -e __ptytask_is_told
    printf '\033]133;A;ptytask=%s\007' $__ptytask_nonce >/dev/tty
    if not functions fish_prompt | string match -q '*__ptytask_inner_prompt*'
        functions -e __ptytask_inner_prompt
        functions -c fish_prompt __ptytask_inner_prompt
        # The prompt of the user comes first, and so finds $status and $pipestatus.
        function fish_prompt
            __ptytask_inner_prompt
            printf '\033]133;B;ptytask=%s\007' $__ptytask_nonce
        end
    end
end
