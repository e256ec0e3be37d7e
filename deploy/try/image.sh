# The image of this checkout, and one of the program before the newest migration, to upgrade from.

build_images() {
  local began=$SECONDS
  build . headstart
  local image_seconds=$((SECONDS - began))
  build . headstart-backup --target backup
  docker tag headstart headstart:now
  held "the image builds from its context alone" "$image_seconds s, $(image_size headstart); the one for backups $(image_size headstart-backup)"
  build_before
}

# On the machine's network, because a stand-in uses the machine's package sources.
build() { # build FOLDER TAG [OPTION…]
  local folder=$1 tag=$2
  shift 2
  docker build --network host -f "$folder/deploy/Dockerfile" -t "$tag" "$@" "$folder" >"$work/build.log" 2>&1 \
    || { tail -n 20 "$work/build.log"; stop "the image $tag does not build"; }
}

image_size() { docker image inspect -f '{{.Size}}' "$1" | awk '{ printf "%.0f MB", $1 / 1e6 }'; }

# The newest one with fewer migrations than this: all of its own are still here, unchanged, so a database of it can be taken over.
find_before() {
  local commit
  for commit in $(git log --format=%h -- src/Headstart/Data/Migrations); do
    if git rev-parse -q --verify "$commit^" >/dev/null && (($(migrations HEAD | wc -l) > $(migrations "$commit^" | wc -l))) \
      && [[ -n $(migrations "$commit^") && -z $(comm -13 <(migrations HEAD) <(migrations "$commit^")) ]]; then
      git rev-parse --short "$commit^"
      return
    fi
  done
}

migrations() { git ls-tree "$1" src/Headstart/Data/Migrations/ | grep '/[0-9]' | sort; } # with the SHA-1 of each

# With this checkout's Dockerfile and what it needs of the project file: those of before do not build where no package is cached.
build_before() {
  local tree=$work/before
  before=$(find_before)
  [[ -n $before ]] || return 0
  if [[ -z $(docker image ls -q "headstart:$before") ]]; then
    say "building $before, the program before the newest migration"
    git worktree add -q --detach "$tree" "$before"
    cp deploy/Dockerfile "$tree/deploy/Dockerfile"
    grep -q RequiresAspNetWebAssets "$tree/src/Headstart/Headstart.csproj" \
      || sed -i 's,</SelfContained>,&<RequiresAspNetWebAssets>true</RequiresAspNetWebAssets>,' "$tree/src/Headstart/Headstart.csproj"
    docker build --network host -f "$tree/deploy/Dockerfile" -t "headstart:$before" "$tree" >"$work/before.log" 2>&1 || { tail -n 5 "$work/before.log"; before=; }
    git worktree remove --force "$tree"
  fi
  if [[ -n $before ]]; then say "the earlier program is $before: $(image_size "headstart:$before")"; fi
}
