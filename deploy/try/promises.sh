# The checks and their results.

promises=()
broken=0

held() { note held "$1" "${2:-}"; }
untried() { note "not tried" "$1" "$2"; }
broke() { note "DID NOT HOLD" "$1" "${2:-}"; broken=1; }

note() {
  promises+=("$(printf '%-12s | %s | %s' "$@")")
  say "$1: $2 ${3:+($3)}"
}

# promise SENTENCE COMMAND…: holds if the command succeeds. The last line of its output is the detail; after a failure the last lines are
# shown.
promise() {
  local sentence=$1 began=$SECONDS
  shift
  if "$@" >"$work/promise.log" 2>&1; then
    held "$sentence" "$((SECONDS - began)) s${detail:+, $detail}"
  else
    tail -n 8 "$work/promise.log" >&2
    broke "$sentence" "$(tail -n 1 "$work/promise.log" | cut -c 1-160)"
  fi
  detail=
}

print_promises() {
  printf '\n%-12s | %s | %s\n%s\n' outcome promise detail "-------------|---|---"
  printf '%s\n' "${promises[@]}"
  if ((${#standins[@]})); then
    printf '\nStand-ins took the place of %s.\n' "${standins[*]}"
  fi
  return "$broken"
}
