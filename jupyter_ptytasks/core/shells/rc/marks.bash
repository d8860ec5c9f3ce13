# What bash reads first in a shell of jupyter_ptytasks (core/shells/start.py): what it would have read without it, then
# marks around prompts and commands.
#
# Users' files come first, and whatever they do counts: what they make impossible is not marked. So everything here works
# with any options (errexit, nounset, xtrace ...), aliases and IFS, and the functions are defined before there are any.

__ptytask_nonce=${PTYTASK_SHELL_MARKS-}
unset PTYTASK_SHELL_MARKS
__ptytask_number=0
__ptytask_empty=''
__ptytask_state=start

# In PS0: marks the beginning of a command in a subshell, and counts it in the shell itself.
__ptytask_ps0='$({ __ptytask_start; } 2>/dev/null)${__ptytask_empty:$((__ptytask_number += 1, __ptytask_next = HISTCMD, 0)):0}'

# Sets __ptytask_text to $1 without control characters and semicolons.
__ptytask_escape() {
    local backslash='\'
    __ptytask_text=${1:0:2000}
    __ptytask_text=${__ptytask_text//"$backslash"/"$backslash$backslash"}
    __ptytask_text=${__ptytask_text//';'/"${backslash}s"}
    __ptytask_text=${__ptytask_text//$'\n'/"${backslash}n"}
    __ptytask_text=${__ptytask_text//$'\t'/"${backslash}t"}
    __ptytask_text=${__ptytask_text//[[:cntrl:]]/'?'}
}

# Prints a mark with what bash knows at any time, and $2.
__ptytask_mark() {
    local now=${EPOCHREALTIME-}
    [[ -n $now ]] || builtin printf -v now '%(%s)T' -1
    __ptytask_escape "$PWD"
    builtin printf '\033]133;%s;ptytask=%s;n=%s;t=%s;cwd=%s%s\007' \
        "$1" "$__ptytask_nonce" "$__ptytask_number" "${now/,/.}" "$__ptytask_text" "$2"
}

# In a subshell, when a command was read: its text is that of the history, if it was saved there as the next one.
__ptytask_start() {
    set +eu
    local line text=''
    line=$(HISTTIMEFORMAT='' builtin history 1 2>/dev/null)
    line=${line#"${line%%[![:space:]]*}"}
    if [[ ${line%%[!0-9]*} == "$__ptytask_next" ]]; then
        __ptytask_escape "${line:${#__ptytask_next}+2}"
        text=";cmd=$__ptytask_text"
    fi
    __ptytask_number=$((__ptytask_number + 1))
    __ptytask_mark C "$text"
}

# First in PROMPT_COMMAND: marks the end of a command, with its exit code.
__ptytask_done() {
    local code=$?
    if [[ $__ptytask_number == "$__ptytask_told" ]]; then
        __ptytask_mark D ";status=$code"
    else
        __ptytask_mark "D;$code" ''
    fi
    __ptytask_told=$__ptytask_number
    __ptytask_state=done
    case $- in *e*) return 0 ;; esac
    return "$code"
}

# Last in PROMPT_COMMAND: puts the marks around the prompt, whatever has become of it.
__ptytask_prompt() {
    local code=$?
    if [[ $__ptytask_state != done ]]; then
        __ptytask_restore "$code"
        __ptytask_done || :
    fi
    __ptytask_state=prompt
    : "${PS0=}" "${PS1=}"
    if [[ ${PS0@a}${PS1@a} != *r* ]]; then
        PS1=${PS1//"$__ptytask_a"/}
        PS1=$__ptytask_a${PS1//"$__ptytask_b"/}$__ptytask_b
        PS0=${PS0//"$__ptytask_ps0"/}
        if shopt -q promptvars; then PS0=$PS0$__ptytask_ps0; fi
    fi
    __ptytask_next=${HISTCMD-}
    return 0
}

__ptytask_restore() { return "$1"; }

__ptytask_install() {
    # To the terminal, wherever the output of the shell goes; and without what xtrace says of it.
    local first='{ __ptytask_done; } 2>/dev/null >/dev/tty' last='{ __ptytask_prompt; } 2>/dev/null >/dev/tty'
    if [[ -z $__ptytask_nonce || ${PROMPT_COMMAND+${PROMPT_COMMAND@a}} == *r* ]]; then
        return 0
    fi
    __ptytask_told=0
    __ptytask_next=''
    __ptytask_a="\\[\\e]133;A;ptytask=$__ptytask_nonce\\a\\]"
    __ptytask_b="\\[\\e]133;B;ptytask=$__ptytask_nonce\\a\\]"
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
        # Each element finds $? and PIPESTATUS as the command has left them.
        PROMPT_COMMAND=("$first" ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"} "$last")
    elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
        PROMPT_COMMAND="$first"$'\n'"${PROMPT_COMMAND-}"$'\n'"$last"
        # No other bash knows these functions.
        export -n PROMPT_COMMAND
    fi
}

# What is read without us. A file that fails, even with errexit, is no reason for the shell to end.
if shopt -q login_shell; then
    # It was started with --posix, since it reads $ENV and nothing else then.
    set +o posix
    shopt -u inherit_errexit 2>/dev/null
    if [ -n "${PTYTASK_SHELL_ENV+x}" ]; then ENV=$PTYTASK_SHELL_ENV; else unset ENV; fi
    if [ "${HISTFILE-}" = ~/.sh_history ]; then HISTFILE=~/.bash_history; fi
    unset PTYTASK_SHELL_ENV
    if [ -r /etc/profile ]; then . /etc/profile || :; fi
    for __ptytask_file in ~/.bash_profile ~/.bash_login ~/.profile; do
        if [ -r "$__ptytask_file" ]; then
            . "$__ptytask_file" || :
            break
        fi
    done
    unset __ptytask_file
elif [ -r ~/.bashrc ]; then
    . ~/.bashrc || :
fi
__ptytask_install || :
