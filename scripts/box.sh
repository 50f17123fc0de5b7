# shellcheck shell=bash disable=SC2034
# What of textbackd is where on a box, and what scripts/install, scripts/upgrade, scripts/uninstall and the Debian package have in
# common. Sourced by them, not run.
#
#   /opt/textbackd/releases/VERSION-STAMP   a release: its own Python environment, and in share/ its units and all else that belongs to it
#   /opt/textbackd/current                  → the release that runs; to go back is to turn this link
#   /opt/textbackd/bin, lib, pyvenv.cfg     → the same in current/: with them it is a Python environment itself, whatever the release;
#                                           bin/textbackd is the path that the unit and /usr/local/bin/textbackd use
#   /etc/textbackd                          configuration and secrets (0750 root:textbackd)
#   /var/lib/textbackd                      the database (0700 textbackd)

OPT=/opt/textbackd RELEASES=/opt/textbackd/releases CURRENT=/opt/textbackd/current
ETC=/etc/textbackd CONFIG=/etc/textbackd/textbackd.yaml SECRET=/etc/textbackd/ami.secret
STATE=/var/lib/textbackd
UNIT=/etc/systemd/system/textbackd.service
# What a release puts elsewhere: a file in its share/, and where it goes. A folder that this box does not have is not made for it.
BELONGINGS=(
  "systemd/textbackd.service $UNIT"
  "systemd/textbackd-backup.service /etc/systemd/system/textbackd-backup.service"
  "systemd/textbackd-backup.timer /etc/systemd/system/textbackd-backup.timer"
  "docs/textbackd.1 /usr/share/man/man1/textbackd.1"
  "completion/bash /usr/share/bash-completion/completions/textbackd"
  "completion/zsh /usr/share/zsh/vendor-completions/_textbackd"
  "completion/fish /usr/share/fish/vendor_completions.d/textbackd.fish"
)
RULES=/etc/udev/rules.d/60-textbackd.rules MODULES=/etc/modules-load.d/textbackd.conf
COMMAND=/usr/local/bin/textbackd
ASTERISK=/etc/asterisk
FREEPBX=(/etc/freepbx.conf /etc/amportal.conf) # FreePBX; Issabel and older FreePBX
BEGIN_BLOCK="; --- textbackd: this block belongs to its installer ---"
END_BLOCK="; --- end of textbackd ---"
EXTRAS=modemmanager,notify,postgresql,smpp # whoever adds such a gateway later need not know what pip is
PATH=$PATH:/usr/sbin:/sbin                 # `su` without a dash leaves them out
umask 022

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "textbackd: $*"; exit 1; }
usage_fault() { warn "$1"; warn "See: ${0##*/} --help"; exit 2; }

need_root() { [ "$(id -u)" = 0 ] || die "this needs root. Run: sudo $0${ARGUMENTS:+ $ARGUMENTS}"; }

need_systemd() {
  [ -d /run/systemd/system ] || die "this box was not booted with systemd, which keeps textbackd running. See docs/INSTALL.md."
}

# One at a time: two installers would undo each other's steps.
only_one() {
  exec 9> /run/textbackd-install.lock
  flock -n 9 || die "another installation of textbackd is under way here. Wait for it to end."
}

# Asks a question whose answer may be yes; without a terminal nobody can answer.
agreed() {
  local answer
  [ "${YES:-}" = yes ] && return 0
  [ -t 0 ] || die "nobody is there to answer. To agree beforehand: $0 --yes"
  read -r -p "$1 [y/N] " answer
  [[ $answer =~ ^[yY] ]]
}

as_textbackd() { runuser -u textbackd -- "$@"; }

# What a release can be asked about the box: `ask RELEASE first`, `state`, `healthy`, `migrate` (textbackd/cli/box.py).
ask() { (cd / && as_textbackd "$1/bin/python" -m textbackd.cli.box "${@:2}"); }

# --- Python ---------------------------------------------------------------------------------------------------------------

# The system's own first: it is there for every user, and stays.
PYTHONS=(/usr/bin/python3{,.14,.13,.12,.11} python3{,.14,.13,.12,.11})

# Prints the Python that releases are made with; fails if there is none. One in somebody's home is hidden from the service (ProtectHome).
find_python() {
  local name prefix
  for name in "${PYTHONS[@]}"; do
    prefix=$("$name" -c 'import sys, venv, ensurepip; sys.version_info < (3, 11) and sys.exit(1); print(sys.base_prefix)' 2> /dev/null) || continue
    case $(realpath -m "$prefix")/ in /root/* | /home/*) ;; *) command -v "$name"; return ;; esac
  done
  return 1
}

install_python() {
  local venv="On Debian or Ubuntu: apt install python3 python3-venv. On others the package may be called python3.12."
  command -v apt-get > /dev/null || die "needs Python 3.11 or newer with its module venv. $venv"
  say "Installing python3-venv."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv; } > /dev/null ||
    die "apt could not install python3-venv. Is the network up? Then: apt install python3 python3-venv"
  find_python > /dev/null || die "$(python3 -V) is too old: 3.11 or newer is needed. Debian 12 and Ubuntu 24.04 have it."
}

# --- releases -------------------------------------------------------------------------------------------------------------

# Prints VERSION-STAMP of what lies in $SOURCE: the same files for the same Python are the same release.
stamp() {
  local parts=(textbackd setup.cfg pyproject.toml wheels systemd config scripts docs/textbackd.1) version
  version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$SOURCE/textbackd/__init__.py")
  cd "$SOURCE" || return
  printf '%s-%s\n' "$version" "$({
    find "${parts[@]}" -type f ! -path '*/__pycache__/*' -print0 2> /dev/null | LC_ALL=C sort -z | xargs -0 sha256sum
    "$(find_python)" -V
  } | sha256sum | cut -c1-8)"
}

current() { basename "$(readlink "$CURRENT" 2> /dev/null)"; }

# A release is there when its last file is: an installation that was cut off has none.
is_whole() { [ -f "$RELEASES/$1/share/release" ] && "$RELEASES/$1/bin/python" -c 'import textbackd' 2> /dev/null; }

# Makes the release $1 from $SOURCE; a failure leaves nothing of it behind.
make_release() {
  local target=$RELEASES/$1
  rm -rf "$target"
  mkdir -p "$RELEASES"
  if { "$(find_python)" -m venv "$target" && fill "$target" && share "$target" "$1"; }; then return; fi
  rm -rf "$target"
  return 1
}

fill() {
  local log copy code=0
  log=$(mktemp) copy=$(mktemp -d)
  if [ -d "$SOURCE/wheels" ]; then
    pip_install "$1" --no-index --find-links "$SOURCE/wheels" "textbackd[$EXTRAS]" 2> "$log" || code=1
  else # a copy, since building leaves files behind
    copy_sources "$copy" && pip_install "$1" "${copy}[$EXTRAS]" 2> "$log" || code=1
  fi
  [ "$code" = 0 ] || why_not "$log"
  rm -rf "$log" "$copy"
  return "$code"
}

copy_sources() { cp -R "$SOURCE"/{textbackd,setup.cfg,pyproject.toml,README.md} "$1"; }

pip_install() { (cd / && "$1/bin/python" -m pip --disable-pip-version-check --quiet --no-cache-dir install "${@:2}"); }

why_not() {
  if grep -qiE 'connection|resolution|timed out|unreachable' "$1"; then
    warn "The package index cannot be reached from this box, so the packages that textbackd needs are missing."
    warn "A package made by scripts/deb on another machine brings them along."
  else
    warn "pip could not install textbackd:"
    tail -n 5 "$1" >&2
  fi
}

# Keeps beside the program what belongs to this release of it, so that going back is complete.
share() {
  local shell
  mkdir -p "$1/share/completion" && cp -R "$SOURCE"/{systemd,config,scripts} "$1/share/" || return 1
  mkdir "$1/share/docs" && cp "$SOURCE/docs/textbackd.1" "$1/share/docs/" || return 1
  for shell in bash zsh fish; do "$1/bin/textbackd" completion "$shell" > "$1/share/completion/$shell" || return 1; done
  printf '%s\n' "$2" > "$1/share/release"
}

# Makes a release the one that runs; nobody ever sees no link.
turn_to() {
  local name
  ln -sfn "releases/$1" "$OPT/.turning" && mv -T "$OPT/.turning" "$CURRENT"
  for name in bin lib pyvenv.cfg; do ln -sfn "current/$name" "$OPT/$name"; done
}

# Removes all releases but the ones named.
clean_releases() {
  local path
  for path in "$RELEASES"/*; do
    [[ " $* " == *" ${path##*/} "* ]] || rm -rf "$path"
  done
}

# --- files ----------------------------------------------------------------------------------------------------------------

# True if the file $2 has the content of $1.
same() { cmp -s "$1" "$2"; }

owner_and_mode() { stat -c '%U:%G %a' "$1" 2> /dev/null; }

# Writes standard input to $1, whose owner and mode are kept, or taken from $2 where it is new; never with more rights than $3. A link
# stays one. The rights are there before the first word is.
replace_file() {
  local file like fresh
  file=$(realpath -m "$1")
  if [ -e "$file" ]; then like=$file; else like=$2; fi
  fresh=$(mktemp "$file.XXXXXX")
  chown --reference="$like" "$fresh"
  chmod "$(printf '%o' $((0$(stat -L -c %a "$like") & 0${3:-7777})))" "$fresh"
  cat > "$fresh"
  mv "$fresh" "$file"
}

# --- what a release puts elsewhere --------------------------------------------------------------------------------------------

# Calls "$@" with each file of the current release and where it belongs on this box.
each_belonging() {
  local pair
  for pair in "${BELONGINGS[@]}"; do
    if [ -d "$(dirname "${pair#* }")" ]; then "$@" "$CURRENT/share/${pair% *}" "${pair#* }" || return 1; fi
  done
}

put_belongings() {
  each_belonging install -m 0644
  systemctl daemon-reload
}

belongings_are_there() { each_belonging same; }

remove_belongings() {
  local pair
  for pair in "${BELONGINGS[@]}"; do rm -f "${pair#* }"; done
  systemctl daemon-reload
}

# --- Asterisk's manager ---------------------------------------------------------------------------------------------------

has_asterisk() { [ -f "$ASTERISK/manager.conf" ]; }
is_freepbx() { [ -f "${FREEPBX[0]}" ] || [ -f "${FREEPBX[1]}" ]; }
includes_manager_d() { grep -qE '^[[:space:]]*#(try)?include[[:space:]]+"?(/etc/asterisk/)?manager\.d/\*\.conf' "$ASTERISK/manager.conf"; }

# Prints the file that our account goes to. FreePBX writes manager.conf itself and leaves manager_custom.conf alone.
account_file() {
  if is_freepbx; then say "$ASTERISK/manager_custom.conf"
  elif includes_manager_d; then say "$ASTERISK/manager.d/textbackd.conf"
  else say "$ASTERISK/manager.conf"; fi
}

block_of() { [ ! -f "$1" ] || sed -n "/^$BEGIN_BLOCK/,/^$END_BLOCK/p" "$1"; }
without_block() { [ ! -f "$1" ] || sed -e "/^$BEGIN_BLOCK/,/^$END_BLOCK/d" -e '$a\' "$1"; } # the last line ends as the others do

# Reads standard input to its end, whatever is found: who writes into a pipe that grep has left fails, and with it the whole pipe. With
# -q, and with /dev/null, which GNU grep looks at, it leaves at the first hit.
finds() { [ -n "$(grep -iE "$1")" ]; }

# Prints the file in which somebody else has written an account of our name; fails if there is none.
others_account() {
  local path
  for path in "$ASTERISK"/manager{,_custom,_additional}.conf "$ASTERISK"/manager.d/*.conf; do
    if without_block "$path" | finds '^[[:space:]]*\[textbackd\]'; then say "$path"; return; fi
  done
  return 1
}

# What stands behind `=` or `=>`, as Asterisk reads it: from ; on it is a comment, and \; is the sign itself (main/config.c).
VALUE='function value(line) {
  sub(/^[^=]*=>?/, "", line); gsub(/\\;/, "\001", line); sub(/;.*/, "", line); gsub("\001", ";", line)
  gsub(/^[ \t]+|[ \t\r]+$/, "", line)
  return line
}
/^[ \t]*\[/ { ours = /^[ \t]*\[textbackd\]/ }'

# Prints the value of `$2 =` in our account in file $1.
value_in_block() {
  block_of "$1" | KEY=$2 awk "$VALUE"'
    ours && $0 ~ "^[ \t]*" ENVIRON["KEY"] "[ \t]*=" { found = value($0) }
    END { if (found != "") print found }'
}

# Prints rights of kind $1 (read, write): what the account has, what every shop needs, and what was asked for by --with.
rights() {
  local had="" extra=""
  ! has_asterisk || had=$(value_in_block "$(account_file)" "$1" | tr -d ' \t')
  if [[ ",$had," == *,all,* ]]; then say "$had"; return; fi
  case "$1 ,${WITH:-}," in "read "*,message,*) extra=user ;; "write "*) extra=${WITH:-} ;; esac
  printf '%s\n' "$had,$(sed -n "s/^$1 *= *//p" "$SOURCE/config/manager-textbackd.conf"),$extra" | tr ',' '\n' |
    sed '/^$/d' | awk '!seen[$0]++' | paste -sd,
}

# Copies an account; only the lines change that do not give the secret $1 and the rights it is to have. Whatever else is in it is its owner's.
with_secret_and_rights() {
  GIVEN=$1 READ=$(rights read) WRITE=$(rights write) END_BLOCK=$END_BLOCK awk "$VALUE"'
    function adds(key) { if (!(key in seen)) print key " = " written[key] }
    BEGIN {
      wanted["secret"] = ENVIRON["GIVEN"]; wanted["read"] = ENVIRON["READ"]; wanted["write"] = ENVIRON["WRITE"]
      for (key in wanted) { written[key] = wanted[key]; gsub(/;/, "\\;", written[key]) }
    }
    was && (!ours || index($0, ENVIRON["END_BLOCK"]) == 1) { adds("secret"); adds("read"); adds("write"); ours = 0 }
    { was = ours }
    ours && /^[ \t]*(secret|read|write)[ \t]*=/ {
      key = $0; gsub(/^[ \t]+|[ \t]*=.*/, "", key); seen[key]
      now = value($0); if (key != "secret") gsub(/[ \t]/, "", now)
      if (now != wanted[key]) { print key " = " written[key]; next }
    }
    { print }'
}

# Prints the account that the sources ship, with the secret $1.
shipped_account() { sed -e '/^;/d' -e '/^$/d' "$SOURCE/config/manager-textbackd.conf" | with_secret_and_rights "$1"; }

# Prints our block as it is to be, with the secret $1.
account() {
  local had
  had=$(block_of "$(account_file)")
  if finds '^[[:space:]]*\[textbackd\]' <<< "$had"; then with_secret_and_rights "$1" <<< "$had"; return; fi
  say "$BEGIN_BLOCK"
  say "; What each right is for stands in config/manager-textbackd.conf of textbackd."
  shipped_account "$1"
  say "$END_BLOCK"
}

# Writes the account with the secret $1 to its file; what else is in there stays.
put_account() {
  local file block
  file=$(account_file)
  block=$(account "$1")
  mkdir -p "${file%/*}"
  { without_block "$file"; say "$block"; } | replace_file "$file" "$ASTERISK/manager.conf" 7770
}

# Prints [general] of manager.conf, and the line behind it.
general() { sed -n '/^[[:space:]]*\[general\]/,/^[[:space:]]*\[/p' "$ASTERISK/manager.conf"; }

manager_enabled() { general | finds '^[[:space:]]*enabled[[:space:]]*=>?[[:space:]]*(yes|true|on|1)'; }

# Where there is no [general] Asterisk would listen on every address once it is switched on.
enable_manager() {
  local file=$ASTERISK/manager.conf
  if [ -n "$(general)" ]; then
    sed -E -e '/^[[:space:]]*\[general\]/,/^[[:space:]]*\[/{/^[[:space:]]*enabled[[:space:]]*=/d}' \
      -e 's/^[[:space:]]*\[general\].*/&\nenabled = yes/' "$file" | replace_file "$file"
  else
    { sed '$a\' "$file"; printf '[general]\nenabled = yes\nbindaddr = 127.0.0.1\n'; } | replace_file "$file"
  fi
}

reload_manager() {
  if asterisk -rx 'core show uptime' > /dev/null 2>&1; then asterisk -rx 'manager reload' > /dev/null; fi
}

# Takes our account out of a file, and the file away if nothing else is in it.
drop_account() {
  local path
  for path in "$ASTERISK"/manager{,_custom}.conf "$ASTERISK/manager.d/textbackd.conf"; do
    [ -n "$(block_of "$path")" ] || continue
    if [ -n "$(without_block "$path")" ]; then without_block "$path" | replace_file "$path"; else rm -f "$path"; fi
    say "Took textbackd's account out of $path."
  done
}
