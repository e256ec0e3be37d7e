#!/usr/bin/env bash
# Headstart from a terminal: train a folder of photographs, watch it, predict. bash 4 and curl.
help='
  headstart.sh [--url URL] [--key KEY] train FOLDER [--name NAME]   each folder in FOLDER is a category
  headstart.sh [--url URL] [--key KEY] train FOLDER --kind detection [--name NAME]   photographs with COCO, VOC or YOLO beside them (needs zip)
  headstart.sh [--url URL] [--key KEY] watch MODEL                  model id or name
  headstart.sh [--url URL] [--key KEY] predict MODEL PATH...        files, or folders of files

HEADSTART_URL (default http://localhost:8080) and HEADSTART_KEY replace the options. You can interrupt train and start it again: images are
not stored twice, and a run in progress is watched. predict prints one line per file: file, label, probability, known or unknown, separated
by tabs; tabs and line breaks in names are printed as \t and \n. Put -- before files whose names begin with a dash. The exit code
is 0 for success, 1 for an error, 2 for a wrong command line.
'
set -euo pipefail
export LC_ALL=C.UTF-8
shopt -s nullglob

readonly batch=20 most=100 tries=6
url=${HEADSTART_URL:-http://localhost:8080}
key=${HEADSTART_KEY:-}
name=
kind=classification
answer=
status=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$1" >&2; exit 1; }
usage() { printf '%s\n%s' "$1" "$help" >&2; exit 2; }

# shown NAME: without tabs and line breaks, so that a line stays a line
shown() { local text=${1//$'\t'/\\t}; text=${text//$'\r'/\\r}; printf '%s' "${text//$'\n'/\\n}"; }

# field NAME < JSON: the first value of that name, text without its quotes and escapes; empty for null or a missing field.
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

# one START < JSON: the objects that begin with the field START, one per line. Text cannot be mistaken for it: its quotes are escaped.
one() { sed "s/{\"$1\":/\n&/g" | grep "^{\"$1\":" || true; }

quoted() { local text=${1//\\/\\\\}; printf '"%s"' "${text//\"/\\\"}"; }

# json TEXT: as a string of JSON; control characters are left out
json() { quoted "${1//[[:cntrl:]]/}"; }

percent() { awk -v share="$1" 'BEGIN { printf "%.1f", 100 * share }'; }

# call [ACCEPTED STATUS] CURL-ARGUMENTS…: sets answer. It retries a busy host after Retry-After; any other error fails with its detail.
call() {
  local accept=
  if [[ $1 =~ ^[0-9]{3}$ ]]; then accept=$1; shift; fi
  local attempt wait
  for ((attempt = 1; ; attempt++)); do
    # The key goes through a file descriptor: every user can see the arguments of a process.
    status=$(curl -sS -D "$work/head" -o "$work/body" -w '%{http_code}' -K <(printf 'header = "Authorization: Bearer %s"\n' "$key") "$@" 2>"$work/errors") ||
      fail "Cannot reach $url: $(<"$work/errors")"
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

refused() { local detail; detail=$(field detail <<<"$answer"); fail "${detail:-$url answered with status $status.}"; }

# find_model NAME-OR-ID: sets model to its id, or to nothing. The host compares names, so that é is é however it was typed.
find_model() {
  call --get --data-urlencode "named=$1" "$api/models"
  model=$(one id <<<"$answer" | head -n 1 | field id)
}

need_model() { find_model "$1"; [[ -n $model ]] || fail "Your account has no model \"$1\"."; }

# form FILE…: sets form to curl's arguments; names may have blanks, quotes, commas, semicolons.
form() {
  local file
  form=()
  for file in "$@"; do
    [[ $file != -* ]] || file=./$file
    form+=(-F "file=@$(quoted "$file")")
  done
}

train() {
  local folder=${1%/} category categories=() file files batch_files start
  [[ -d $folder ]] || fail "The folder $1 does not exist."
  [[ $folder != -* ]] || folder=./$folder
  if [[ $kind == detection ]]; then train_detector "$folder"; return; fi
  for category in "$folder"/*/; do
    category=${category%/}
    categories+=("${category##*/}")
  done
  ((${#categories[@]} >= 2)) || fail "$folder has ${#categories[@]} folders; it needs at least two, one for each category."
  make_model "$folder" imageClassification
  for category in "${categories[@]}"; do
    files=()
    for file in "$folder/$category"/*; do [[ ! -f $file ]] || files+=("$file"); done
    for ((start = 0; start < ${#files[@]}; start += batch)); do
      batch_files=("${files[@]:start:batch}")
      form "${batch_files[@]}"
      call 422 --form-string "category=$category" "${form[@]}" "$api/models/$model/images"
      [[ $answer == *'"rejected":'* ]] || refused
      while IFS= read -r file; do
        [[ -z $file ]] || printf '%s/%s: %s\n' "$(shown "$category")" "$(field fileName <<<"$file")" "$(field detail <<<"$file")" >&2
      done < <(one fileName <<<"${answer##*'"rejected":'}")
      printf '%s: %s of %s sent\n' "$(shown "$category")" "$((start + ${#batch_files[@]}))" "${#files[@]}"
    done
  done
  learn
}

# make_model FOLDER KIND: sets model to the id of the model of that name, which it creates if there is none.
make_model() {
  if [[ -z $name ]]; then
    name=$(realpath -- "$1")
    name=${name##*/}
  fi
  ! grep -qaxv '.*' <<<"$name" || fail "The name of the folder $1 is not valid UTF-8; name the model with --name."
  find_model "$name"
  if [[ -z $model ]]; then
    call -H 'Content-Type: application/json' --data-binary "{\"name\":$(json "$name"),\"kind\":\"$2\"}" "$api/models"
    model=$(field id <<<"$answer")
  fi
  printf 'Model %s %s\n' "$name" "$model"
}

# train_detector FOLDER: sends the folder as it is; the host finds out which annotations have the boxes.
train_detector() {
  local import file ended notice
  command -v zip >/dev/null || fail 'Sending a folder with boxes needs the program zip; install it, or use one of the other clients.'
  make_model "$1" objectDetection
  (cd -- "$1" && zip -qr0 "$work/folder.zip" . -x '.*' '*/.*') || fail "The folder $1 has no files."
  call -H 'Content-Type: application/zip' --data-binary "@$work/folder.zip" "$api/models/$model/imports/archive"
  import=$(field id <<<"$answer")
  while [[ $(field state <<<"$answer") =~ ^(queued|running)$ ]]; do
    sleep 1
    call "$api/models/$model/imports/$import"
  done
  ended=$answer
  call "$api/models/$model/imports/$import/rejections?limit=100"
  while IFS= read -r file; do
    [[ -z $file ]] || printf '%s: %s\n' "$(shown "$(field fileName <<<"$file")")" "$(field detail <<<"$file")" >&2
  done < <(one position <<<"$answer")
  notice=${ended#*'"notices":['}
  while IFS= read -r notice; do
    [[ -z $notice ]] || printf '%s\n' "$(field notice <<<"{\"notice\":$notice}")" >&2
  done < <(grep -oE '^("(\\.|[^"\\])*",?)*' <<<"$notice" | grep -oE '"(\\.|[^"\\])*"')
  if [[ $(field state <<<"$ended") != succeeded ]]; then
    notice=$(field error <<<"$ended")
    fail "${notice:-The import was $(field state <<<"$ended").}"
  fi
  printf '%s of %s files taken\n' "$(field accepted <<<"$ended")" "$(field total <<<"$ended")"
  learn
}

# learn: starts a run of the model, unless one is under way, and follows it.
learn() {
  newest_run
  if [[ ! $(field state <<<"$answer") =~ ^(queued|running)$ ]]; then
    call -H 'Content-Type: application/json' -H "Idempotency-Key: $(basename "$work")-$RANDOM$RANDOM" --data-binary '{}' "$api/models/$model/training-runs"
  fi
  follow
}

newest_run() { call "$api/models/$model/training-runs?limit=1"; }

# follow: watches the run in $answer until it ends.
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
    fail "${detail:-The training run was $state.}"
  fi
  version=$(field version <<<"$answer")
  call "$api/models/$model/versions/$version"
  line='accuracy unknown'
  if [[ $answer =~ \"accuracyInterval\":\[([^,]+),([^]]+)\] ]]; then
    low=${BASH_REMATCH[1]} high=${BASH_REMATCH[2]}
    line="accuracy $(percent "$(field accuracy <<<"$answer")")% ($(percent "$low")% to $(percent "$high")%)"
  fi
  printf 'Version %s: %s, with %s\n' "$version" "$line" "$(field backbone <<<"$answer")"
  call "$api/models/$model/versions/$version/report"
  field sentence <<<"$answer"
  echo
}

predict() {
  local path file files=() batch_files start line i error found box failed=0
  for path in "${@:2}"; do
    if [[ -d $path ]]; then
      for file in "${path%/}"/*; do [[ ! -f $file ]] || files+=("$file"); done
    else
      [[ -f $path ]] || fail "The file $path does not exist."
      files+=("$path")
    fi
  done
  ((${#files[@]} > 0)) || fail 'There are no files to predict.'
  need_model "$1"
  for ((start = 0; start < ${#files[@]}; start += batch)); do
    batch_files=("${files[@]:start:batch}")
    form "${batch_files[@]}"
    call 422 "${form[@]}" "$api/models/$model/predictions?top=$most"
    [[ $answer == *'"predictions":'* ]] || refused
    i=0
    while IFS= read -r line; do
      error=$(field error <<<"$line")
      if [[ -n $error ]]; then
        failed=1
        printf '%s: %s\n' "$(shown "${batch_files[i]}")" "$error" >&2
      elif [[ $line == *'"objects":['* ]]; then
        [[ $line != *'"objects":[]'* ]] || printf '%s\n' "$(shown "${batch_files[i]}")"
        while IFS= read -r found; do
          box=${found#*'"pixels":'}
          printf '%s\t%s\t%.4f\t%s\t%s\t%s\t%s\n' "$(shown "${batch_files[i]}")" "$(field label <<<"$found")" \
            "$(field probability <<<"$found")" "$(field x <<<"$box")" "$(field y <<<"$box")" "$(field width <<<"$box")" "$(field height <<<"$box")"
        done < <(one label <<<"${line#*'"objects":'}")
      else
        printf '%s\t%s\t%.4f\t%s\n' "$(shown "${batch_files[i]}")" "$(field label <<<"$line")" "$(field probability <<<"$line")" \
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
    --url | --key | --name | --kind) (($# > 1)) || usage "$1 needs a value."; printf -v "${1#--}" '%s' "$2"; shift 2 ;;
    --help) printf '%s' "$help"; exit ;;
    --) shift; words+=("$@"); break ;;
    --*) usage "Unknown option $1." ;;
    *) words+=("$1"); shift ;;
  esac
done
url=${url%/}
api=$url/api/v1
case ${words[0]:-}/${#words[@]} in
  train/2 | watch/2 | predict/[3-9] | predict/[1-9][0-9]*) ;;
  *) usage 'Unknown command, or wrong arguments.' ;;
esac
[[ $kind =~ ^(classification|detection)$ ]] || usage '--kind is classification or detection.'
[[ -n $key ]] || usage 'No API key: set HEADSTART_KEY or use --key.'
case ${words[0]} in
  train) train "${words[1]}" ;;
  watch) need_model "${words[1]}"; newest_run; follow ;;
  predict) predict "${words[@]:1}" ;;
esac
