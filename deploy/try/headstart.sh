# The main job over HTTP. The functions use the URL in `host` and the key in `key`; learn puts the model's id into `model`.

host= key= model= detail=
first= first_photographs=() second= second_photographs=()

api() { # api PATH CURL-ARGUMENT…: the answer's body; fails unless the status is 2xx
  local path=$1
  shift
  curl -sS --fail-with-body -m 120 -H "Authorization: Bearer $key" "$@" "$host/api/v1$path"
}

# Uses the first two folders; the last photograph of each is kept for predictions.
choose_photographs() {
  local folders
  mapfile -t folders < <(find "$photographs" -mindepth 1 -maxdepth 1 -type d | sort | head -n 2)
  ((${#folders[@]} == 2)) || stop "$photographs needs a folder of photographs for each of two categories."
  first=$(basename "${folders[0]}") second=$(basename "${folders[1]}")
  mapfile -t first_photographs < <(find "${folders[0]}" -type f | sort)
  mapfile -t second_photographs < <(find "${folders[1]}" -type f | sort)
  ((${#first_photographs[@]} > 4 && ${#second_photographs[@]} > 4)) || stop "Each category needs at least five photographs."
}

make_model() {
  model=$(api /models --json "$(jq -n --arg a "$first" --arg b "$second" --arg name "Tried $RANDOM" '{name: $name, kind: "imageClassification", categories: [$a, $b]}')" | jq -er .id)
}

upload() { # all except those kept for predictions
  form_of "${first_photographs[@]:0:${#first_photographs[@]}-1}"
  local form=(-F "category=$first" "${files[@]}")
  form_of "${second_photographs[@]:0:${#second_photographs[@]}-1}"
  api "/models/$model/images" "${form[@]}" -F "category=$second" "${files[@]}" | jq -e '.rejected == [] and (.accepted | length > 0)'
}

form_of() {
  local file
  files=()
  for file in "$@"; do files+=(-F "file=@\"$file\""); done
}

# Enough images for a run with an observable middle: every photograph many times, with different last bytes, so that no cache helps.
upload_many() {
  local copy file
  for copy in 1 2 3 4 5 6; do
    rm -rf "$work/copies"
    mkdir -p "$work/copies"
    for file in "${first_photographs[@]}"; do copied "$file" "$work/copies/1-"; done
    for file in "${second_photographs[@]}"; do copied "$file" "$work/copies/2-"; done
    form_of "$work"/copies/1-*
    local form=(-F "category=$first" "${files[@]}")
    form_of "$work"/copies/2-*
    api "/models/$model/images" "${form[@]}" -F "category=$second" "${files[@]}" >/dev/null || return 1
  done
}

copied() {
  local to=$2$(basename "$1")
  cp "$1" "$to"
  printf '%s' "$RANDOM$RANDOM$RANDOM" >>"$to"
}

begin_long_run() { # until it is in its middle
  make_model && upload_many && start_run || return 1
  for _ in $(seq 600); do
    [[ $(run_state) == queued ]] || break
    sleep 0.2
  done
  [[ $(run_state) == running ]]
}

start_run() { run=$(api "/models/$model/training-runs" --json '{}' | jq -er .id); }

run_state() { api "/models/$model/training-runs/$run" | jq -r .state; }

# Retries, because some checks take nodes down meanwhile.
await_run() {
  local state
  for _ in $(seq 900); do
    state=$(run_state 2>/dev/null) || true
    case $state in
      succeeded) version=$(api "/models/$model/training-runs/$run" | jq -er .version); return ;;
      failed | cancelled) api "/models/$model/training-runs/$run"; return 1 ;;
    esac
    sleep 1
  done
  echo "the run did not end in 15 minutes: $state"
  return 1
}

ask() { # ask PHOTOGRAPH [CURL-ARGUMENT…]: the label
  local file=$1
  shift
  api "/models/$model/predictions" -H 'Content-Type: image/jpeg' --data-binary "@$file" "$@" | jq -er '.predictions[0].labels[0].label'
}

asks_right() {
  local a b
  a=$(ask "${first_photographs[-1]}") && b=$(ask "${second_photographs[-1]}") && echo "asked: $a and $b" && [[ $a == "$first" && $b == "$second" ]]
}

main_job() {
  make_model && upload && start_run && await_run && asks_right
}

ready() { # ready ADDRESS [SECONDS]
  for _ in $(seq "${2:-180}"); do
    [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "$1/health/ready") == 200 ]] && return
    sleep 1
  done
  echo "$1/health/ready is not 200"
  return 1
}

free_port() {
  local port
  while port=$((RANDOM % 10000 + 20000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
