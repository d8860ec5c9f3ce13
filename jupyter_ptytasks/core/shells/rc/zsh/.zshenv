# What zsh reads first in a shell of jupyter_ptytasks (core/shells/start.py). It gives back ZDOTDIR, so that zsh itself
# reads all other files of the user, and marks prompts and commands from the first prompt on, if these files let it.

if (( ${+PTYTASK_SHELL_ZDOTDIR} )); then
    export ZDOTDIR=$PTYTASK_SHELL_ZDOTDIR
else
    unset ZDOTDIR
fi
typeset -g __ptytask_nonce=${PTYTASK_SHELL_MARKS-}
unset PTYTASK_SHELL_ZDOTDIR PTYTASK_SHELL_MARKS

# Sets __ptytask_text to $1 without control characters and semicolons.
__ptytask_escape() {
    emulate -L zsh
    typeset -g __ptytask_text=${1[1,2000]}
    __ptytask_text=${__ptytask_text//\\/\\\\}
    __ptytask_text=${__ptytask_text//;/\\s}
    __ptytask_text=${__ptytask_text//$'\n'/\\n}
    __ptytask_text=${__ptytask_text//$'\t'/\\t}
    __ptytask_text=${__ptytask_text//[[:cntrl:]]/?}
}

# Prints a mark with what zsh knows at any time, and $2: to the terminal, wherever the output of the shell goes.
__ptytask_mark() {
    emulate -L zsh
    __ptytask_escape "$PWD"
    builtin printf '\033]133;%s;ptytask=%s;n=%s;t=%s;cwd=%s%s\007' \
        "$1" "$__ptytask_nonce" "$__ptytask_number" "${EPOCHREALTIME-}" "$__ptytask_text" "$2" >/dev/tty
}

# Last in preexec: marks the beginning of a command.
__ptytask_start() {
    emulate -L zsh
    (( __ptytask_number += 1 ))
    __ptytask_escape "$1"
    __ptytask_mark C ";cmd=$__ptytask_text"
}

# First in precmd: marks the end of a command, with its exit code.
__ptytask_done() {
    local code=$?
    emulate -L zsh
    if [[ $__ptytask_number == $__ptytask_told ]]; then
        __ptytask_mark D ";status=$code"
    else
        __ptytask_mark "D;$code" ''
    fi
    __ptytask_told=$__ptytask_number
    return $code
}

# Last in precmd: puts the marks around the prompt, whatever has become of it.
__ptytask_prompt() {
    local code=$?
    emulate -L zsh
    if [[ ${(t)PS1} != *readonly* ]]; then
        PS1=${PS1//$__ptytask_a/}
        PS1=$__ptytask_a${PS1//$__ptytask_b/}$__ptytask_b
    fi
    # What zsh prints behind output without a line end is no output; it comes before precmd.
    if [[ ${(t)PROMPT_EOL_MARK} != *readonly* ]]; then
        PROMPT_EOL_MARK=${PROMPT_EOL_MARK-'%B%S%#%s%b'}
        PROMPT_EOL_MARK=$__ptytask_e${PROMPT_EOL_MARK//$__ptytask_e/}
    fi
    return $code
}

# In precmd before the first prompt: all files have been read.
__ptytask_install() {
    local code=$?
    emulate -L zsh
    zmodload zsh/datetime 2>/dev/null
    typeset -g __ptytask_number=0 __ptytask_told=0
    typeset -g __ptytask_a=$'%{\e]133;A;ptytask='$__ptytask_nonce$'\a%}'
    typeset -g __ptytask_b=$'%{\e]133;B;ptytask='$__ptytask_nonce$'\a%}'
    typeset -g __ptytask_e=$'%{\e]133;E;ptytask='$__ptytask_nonce$'\a%}'
    precmd_functions=(__ptytask_done ${precmd_functions:#__ptytask_install} __ptytask_prompt)
    preexec_functions+=(__ptytask_start)
    unfunction __ptytask_install
    __ptytask_done
    __ptytask_prompt
    # This time, functions of the user are still to come, and may set another prompt.
    autoload -Uz add-zle-hook-widget && add-zle-hook-widget line-init __ptytask_first 2>/dev/null
    return $code
}

# When the first prompt is shown.
__ptytask_first() {
    emulate -L zsh
    add-zle-hook-widget -d line-init __ptytask_first
    if [[ $PS1 != *$__ptytask_b* ]]; then
        __ptytask_prompt
        zle reset-prompt
    fi
}

if [[ -n $__ptytask_nonce ]]; then
    typeset -ga precmd_functions preexec_functions
    precmd_functions+=(__ptytask_install)
fi

if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then
    . ${ZDOTDIR-$HOME}/.zshenv
fi
