#!/usr/bin/env bash
# Headstart from a terminal: train a folder of photographs, watch it, predict. bash 4 and curl.
help='
  headstart.sh [--url URL] [--key KEY] train FOLDER [--name NAME]   the folders in FOLDER are the categories
  headstart.sh [--url URL] [--key KEY] watch MODEL                  the id or the name of the model
  headstart.sh [--url URL] [--key KEY] predict MODEL PATH...        files, or folders with files

HEADSTART_URL (http://localhost:8080) and HEADSTART_KEY take the place of the options. train may be broken off and started again: what
arrived is not stored twice, and a run that is under way is watched. predict prints a line a file: file, label, probability, known or
unknown, with tabs between. The exit code is 0 when all went well, 1 when something did not, 2 when the command makes no sense.
'
set -euo pipefail
export LC_ALL=C.UTF-8
shopt -s nullglob

readonly batch=20 tries=6
url=${HEADSTART_URL:-http://localhost:8080}
key=${HEADSTART_KEY:-}
name=
answer=
status=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$1" >&2; exit 1; }
usage() { printf '%s\n%s' "$1" "$help" >&2; exit 2; }

# field NAME < JSON: the first value of that name, text without its quotes and escapes; empty for null and where there is none.
field() {
  local found
  found=$(grep -oE "\"$1\":(\"(\\\\.|[^\"\\\\])*\"|[^][{},\"]+)" | head -n 1) || true
  found=${found#*:}
  [[ $found != null ]] || found=
  if [[ $found == \"* ]]; then
    found=${found:1:-1}
    found=${found//\\\"/\"}
    found=${found//\\\//\/}
    printf '%b' "$found"
  else
    printf '%s' "$found"
  fi
}

# one START < JSON: the objects that begin with the field START, a line each. No text can look like it: quotes in texts are escaped.
one() { sed "s/{\"$1\":/\n&/g" | grep "^{\"$1\":" || true; }

quoted() { local text=${1//\\/\\\\}; printf '"%s"' "${text//\"/\\\"}"; }

percent() { awk -v share="$1" 'BEGIN { printf "%.1f", 100 * share }'; }

# call [ACCEPTED STATUS] CURL-ARGUMENTS…: sets answer. A busy host is asked again when it says; any other refusal fails with its detail.
call() {
  local accept=
  if [[ $1 =~ ^[0-9]{3}$ ]]; then accept=$1; shift; fi
  local attempt wait
  for ((attempt = 1; ; attempt++)); do
    # The key goes through a file descriptor: the arguments of a process are for everybody to see.
    status=$(curl -sS -D "$work/head" -o "$work/body" -w '%{http_code}' -K <(printf 'header = "Authorization: Bearer %s"\n' "$key") "$@" 2>"$work/errors") ||
      fail "$url does not answer: $(<"$work/errors")"
    if [[ $status == 503 && $attempt -lt $tries ]]; then
      wait=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$work/head")
      sleep "$((${wait:-1} > 30 ? 30 : ${wait:-1}))"
      continue
    fi
    answer=$(<"$work/body")
    [[ $status != 2* && $status != "$accept" ]] || return 0
    refused
  done
}

refused() { local detail; detail=$(field detail <<<"$answer"); fail "${detail:-$url answered $status.}"; }

# find NAME-OR-ID: sets model to its id, empty where there is none.
find_model() {
  local page after= line
  model=
  while true; do
    call "$api/models?limit=100${after:+&after=$after}"
    page=$answer
    while IFS= read -r line; do
      if [[ -n $line && ($(field id <<<"$line") == "$1" || $(field name <<<"$line") == "$1") ]]; then model=$(field id <<<"$line"); return; fi
    done < <(one id <<<"$page")
    after=$(field next < <(tail -c 60 <<<"$page"))
    [[ -n $after ]] || return 0
  done
}

need_model() { find_model "$1"; [[ -n $model ]] || fail "There is no model \"$1\" in your account."; }

# form FILE…: sets form to curl's arguments; names may have blanks, quotes, commas, semicolons.
form() { local file; form=(); for file in "$@"; do form+=(-F "file=@$(quoted "$file")"); done; }

train() {
  local folder=${1%/} category categories=() file files batch_files start
  [[ -d $folder ]] || fail "There is no folder $1."
  for category in "$folder"/*/; do categories+=("$(basename "$category")"); done
  ((${#categories[@]} >= 2)) || fail "$folder has ${#categories[@]} folders; there is one for each category, and two or more of them."
  [[ -n $name ]] || name=$(basename "$(realpath "$folder")")
  find_model "$name"
  if [[ -z $model ]]; then
    call -H 'Content-Type: application/json' --data-binary "{\"name\":$(quoted "$name")}" "$api/models"
    model=$(field id <<<"$answer")
  fi
  printf 'Model %s %s\n' "$name" "$model"
  for category in "${categories[@]}"; do
    files=()
    for file in "$folder/$category"/*; do [[ ! -f $file ]] || files+=("$file"); done
    for ((start = 0; start < ${#files[@]}; start += batch)); do
      batch_files=("${files[@]:start:batch}")
      form "${batch_files[@]}"
      call 422 --form-string "category=$category" "${form[@]}" "$api/models/$model/images"
      [[ $answer == *'"rejected":'* ]] || refused
      while IFS= read -r file; do
        [[ -z $file ]] || printf '%s/%s: %s\n' "$category" "$(field fileName <<<"$file")" "$(field detail <<<"$file")" >&2
      done < <(one fileName <<<"${answer##*'"rejected":'}")
      printf '%s: %s of %s sent\n' "$category" "$((start + ${#batch_files[@]}))" "${#files[@]}"
    done
  done
  newest_run
  if [[ ! $(field state <<<"$answer") =~ ^(queued|running)$ ]]; then
    call -H 'Content-Type: application/json' -H "Idempotency-Key: $(basename "$work")-$RANDOM$RANDOM" --data-binary '{}' "$api/models/$model/training-runs"
  fi
  follow
}

newest_run() { call "$api/models/$model/training-runs?limit=1"; }

# follow: watches the run in answer to its end.
follow() {
  local run line said= left detail state version low high
  run=$(field id <<<"$answer")
  [[ -n $run ]] || fail 'The model has no training run yet.'
  while state=$(field state <<<"$answer") && [[ $state =~ ^(queued|running)$ ]]; do
    left=$(field secondsLeft <<<"$answer")
    detail=$(field detail <<<"$answer")
    line=$(field stage <<<"$answer")
    line="${line:-$state}, $(printf '%.0f' "$(percent "$(field progress <<<"$answer")")")%${left:+, about $(printf '%.0f' "$left") s left}${detail:+: $detail}"
    if [[ $line != "$said" ]]; then printf '%s\n' "$line"; said=$line; fi
    sleep 1
    call "$api/models/$model/training-runs/$run"
  done
  if [[ $state != succeeded ]]; then
    detail=$(field error <<<"$answer")
    fail "${detail:-The run was $state.}"
  fi
  version=$(field version <<<"$answer")
  call "$api/models/$model/versions/$version"
  [[ $answer =~ \"accuracyInterval\":\[([^,]+),([^]]+)\] ]] && low=${BASH_REMATCH[1]} high=${BASH_REMATCH[2]}
  printf 'Version %s: %s%% right (%s%% to %s%%), with %s\n' "$version" "$(percent "$(field accuracy <<<"$answer")")" "$(percent "$low")" "$(percent "$high")" \
    "$(field backbone <<<"$answer")"
  call "$api/models/$model/versions/$version/report"
  field sentence <<<"$answer"
  echo
}

predict() {
  local path file files=() batch_files start line i error failed=0
  for path in "${@:2}"; do
    if [[ -d $path ]]; then
      for file in "${path%/}"/*; do [[ ! -f $file ]] || files+=("$file"); done
    else
      [[ -f $path ]] || fail "There is no file $path."
      files+=("$path")
    fi
  done
  ((${#files[@]} > 0)) || fail 'There is no file to predict.'
  need_model "$1"
  for ((start = 0; start < ${#files[@]}; start += batch)); do
    batch_files=("${files[@]:start:batch}")
    form "${batch_files[@]}"
    call 422 "${form[@]}" "$api/models/$model/predictions?top=1"
    [[ $answer == *'"predictions":'* ]] || refused
    i=0
    while IFS= read -r line; do
      error=$(field error <<<"$line")
      if [[ -n $error ]]; then
        failed=1
        printf '%s: %s\n' "${batch_files[i]}" "$error" >&2
      else
        printf '%s\t%s\t%.4f\t%s\n' "${batch_files[i]}" "$(field label <<<"$line")" "$(field probability <<<"$line")" \
          "$([[ $(field unknown <<<"$line") == true ]] && echo unknown || echo known)"
      fi
      i=$((i + 1))
    done < <(one fileName <<<"${answer#*'"predictions":'}")
  done
  exit "$failed"
}

words=()
while (($# > 0)); do
  case $1 in
    --url | --key | --name) (($# > 1)) || usage "$1 needs a value."; printf -v "${1#--}" '%s' "$2"; shift 2 ;;
    --help) printf '%s' "$help"; exit ;;
    --*) usage "There is no option $1." ;;
    *) words+=("$1"); shift ;;
  esac
done
url=${url%/}
api=$url/api/v1
case ${words[0]:-}/${#words[@]} in
  train/2 | watch/2 | predict/[3-9] | predict/[1-9][0-9]*) ;;
  *) usage 'That is none of the commands.' ;;
esac
[[ -n $key ]] || usage 'There is no key: set HEADSTART_KEY or give --key.'
case ${words[0]} in
  train) train "${words[1]}" ;;
  watch) need_model "${words[1]}"; newest_run; follow ;;
  predict) predict "${words[@]:1}" ;;
esac
