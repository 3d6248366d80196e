# shellcheck shell=bash
# Sourced by the jobs: a heading with its seconds for each step, and the count at the end.
#
# A step is a function. What it returns decides: 0 passed, 1 failed; `skip REASON` says that it could not run.
# A job that starts another hands on its tally, so that the last lines count everything.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# A job builds once; what a later build could take from it costs more than it saves.
export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"

# The step that runs, and the status with which one says that it could not run.
current=
skipped_status=75

if [[ -z "${GNOMON_TALLY:-}" ]]; then
    GNOMON_TALLY=$(mktemp)
    export GNOMON_TALLY
    trap 'rm -f "$GNOMON_TALLY"' EXIT
    outermost=true
else
    outermost=false
fi

# Adds "KIND COUNT NAME" to the tally; KIND is passed, failed or skipped.
tally() {
    [[ $2 -ne 0 ]] || return 0
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$GNOMON_TALLY"
}

# The processor seconds of every process that ended below this one: what a step costs on any machine, however busy.
processor_seconds() {
    local stat ticks
    # proc_pid_stat(5): cutime and cstime. The name before them has no space, since it is the shell's.
    read -ra stat <"/proc/$BASHPID/stat"
    ticks=$(getconf CLK_TCK)
    seconds=$(((stat[15] + stat[16]) / ticks))
}

# Runs a step and keeps going: step NAME COMMAND...
step() {
    local start=$SECONDS status outcome seconds before
    processor_seconds
    before=$seconds
    current=$1
    shift
    printf '\n=== %s\n' "$current"
    # In a subshell, so that `set -e` holds in it, and `skip` ends nothing else.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    case $status in
        0) tally passed 1 "$current" && outcome=passed ;;
        "$skipped_status") outcome=skipped ;;
        *) tally failed 1 "$current" && outcome=FAILED ;;
    esac
    processor_seconds
    printf -- '--- %s: %s in %s s, of the processors %s s\n' \
        "$current" "$outcome" $((SECONDS - start)) $((seconds - before))
}

# Runs another job, whose steps count here: job COMMAND...
job() {
    "$@" || tally failed 1 "$1 ended early"
}

# Ends the current step as one that could not run: skip REASON
skip() {
    printf 'SKIPPED: %s: %s\n' "$current" "$1"
    tally skipped 1 "$current: $1"
    exit "$skipped_status"
}

# Runs a test command, and adds what its runner counted: tested COMMAND...
tested() {
    local status=0 output counted
    output=$(mktemp)
    "$@" 2>&1 | tee "$output" || status=$?
    counted=$(awk '
        / tests? run: / { for (i = 2; i <= NF; i++) if ($i ~ /^passed/) p += $(i-1); else if ($i ~ /^failed/) f += $(i-1) }
        /^test result: / { p += $4; f += $6 }
        END { print p + 0, f + 0 }' "$output")
    rm -f "$output"
    tally passed "${counted% *}" "tests of $current"
    tally failed "${counted#* }" "tests of $current"
    return $status
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Prints what failed and what was skipped with its reason, then the counts; the job's exit status.
finish() {
    $outermost || return 0
    local kind seconds
    processor_seconds
    printf '\n=== summary (%s s, of the processors %s s)\n' "$SECONDS" "$seconds"
    for kind in failed skipped; do
        awk -F '\t' -v kind="$kind" '$1 == kind { print toupper(kind) ": " $3 }' "$GNOMON_TALLY"
    done
    count() { awk -F '\t' -v kind="$1" '$1 == kind { n += $2 } END { print n + 0 }' "$GNOMON_TALLY"; }
    printf '%s passed, %s failed, %s skipped\n' "$(count passed)" "$(count failed)" "$(count skipped)"
    [[ $(count failed) -eq 0 ]]
}
