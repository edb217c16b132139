# What configure.ac asks for, one macro per question.

# SL_SWITCHES: --enable-werror, -asan, -ubsan, -tsan, -fuzzing, -coverage
AC_DEFUN([SL_SWITCH],
  [AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [], [enable_$1=no])])

AC_DEFUN([SL_SWITCHES], [
  SL_SWITCH([werror], [treat compiler warnings as errors])
  SL_SWITCH([asan], [AddressSanitizer, with leak detection])
  SL_SWITCH([ubsan], [UndefinedBehaviorSanitizer])
  SL_SWITCH([tsan], [ThreadSanitizer (not together with asan)])
  SL_SWITCH([fuzzing], [build the fuzz targets with libFuzzer (needs clang)])
  SL_SWITCH([coverage], [count executed lines, for gcov])
  AS_IF([test "$enable_tsan$enable_asan" = yesyes],
    [AC_MSG_ERROR([--enable-tsan and --enable-asan exclude each other])])

  sl_sanitizers=
  AS_IF([test "$enable_asan" = yes], [sl_sanitizers="$sl_sanitizers -fsanitize=address"])
  AS_IF([test "$enable_ubsan" = yes],
    [sl_sanitizers="$sl_sanitizers -fsanitize=undefined -fno-sanitize-recover=undefined"])
  AS_IF([test "$enable_tsan" = yes], [sl_sanitizers="$sl_sanitizers -fsanitize=thread"])
  AS_IF([test "$enable_fuzzing" = yes], [sl_sanitizers="$sl_sanitizers -fsanitize=fuzzer-no-link"])
  AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
  AC_SUBST([FUZZER], [-fsanitize=fuzzer])
  AM_CONDITIONAL([SANITIZED], [test -n "$sl_sanitizers"])
])

# SL_COMPILER_FLAGS: the warnings this compiler knows, and what the switches ask for. Two are off:
# a message that is cut is meant to be, and an enum is as good as an int.
AC_DEFUN([SL_TRY_FLAG], [
  AC_MSG_CHECKING([whether $CC takes $1])
  sl_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); SL_CFLAGS="$SL_CFLAGS $1"], [AC_MSG_RESULT([no])])
  CFLAGS=$sl_saved_cflags
])

AC_DEFUN([SL_COMPILER_FLAGS], [
  SL_CFLAGS=
  m4_foreach_w([sl_flag], [-Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes
    -Wstrict-prototypes -Wformat=2 -Wswitch-enum -Wundef -Wpointer-arith -Wwrite-strings
    -Wcast-qual -Wno-sign-conversion -Wno-format-truncation -fvisibility=hidden -fno-common -fstack-protector-strong],
    [SL_TRY_FLAG(sl_flag)])
  AS_IF([test "$enable_werror" = yes], [SL_CFLAGS="$SL_CFLAGS -Werror"])
  AS_IF([test -n "$sl_sanitizers"],
    [SL_CFLAGS="$SL_CFLAGS $sl_sanitizers -fno-omit-frame-pointer -g"])
  AS_IF([test "$enable_coverage" = yes], [SL_CFLAGS="$SL_CFLAGS --coverage -O0 -g"])
  AC_SUBST([SL_CFLAGS])
  SL_LDFLAGS=$sl_sanitizers
  AS_IF([test "$enable_coverage" = yes], [SL_LDFLAGS="$SL_LDFLAGS --coverage"])
  AC_SUBST([SL_LDFLAGS])
])

# SL_LIBRARY(VARIABLE, PKG-CONFIG MODULE, DEBIAN PACKAGE, FEDORA PACKAGE, [HEADER, FUNCTION])
# Collects what is missing, so that one run of configure names all of it. HEADER and FUNCTION are of a
# library whose pkg-config file is an addition of some distributions; it is called as its module.
AC_DEFUN([SL_LIBRARY], [
  PKG_CHECK_MODULES([$1], [$2], [], [
    m4_ifval([$5], [AC_CHECK_HEADER([$5], [AC_CHECK_LIB([$2], [$6], [$1_LIBS=-l$2])])])
    AS_IF([test -z "$$1_LIBS"], [sl_missing="$sl_missing
  $2: Debian and Ubuntu: $3; Fedora and EPEL: $4"])])
])

# SL_COLLECTD_HEADERS: --with-collectd-headers=DIR, or where Debian puts them
AC_DEFUN([SL_COLLECTD_HEADERS], [
  AC_ARG_WITH([collectd-headers],
    [AS_HELP_STRING([--with-collectd-headers=DIR],
      [collectd's plugin headers: the directory that holds daemon/plugin.h, such as
       /usr/include/collectd/core (Debian) or the src directory of a collectd source])],
    [sl_collectd_dir=$withval], [sl_collectd_dir=/usr/include/collectd/core])
  # A source that nobody has configured has no config.h; this is what its headers want to know.
  AS_IF([test -e "$sl_collectd_dir/config.h"], [sl_collectd_config=-DHAVE_CONFIG_H=1],
    [sl_collectd_config="-DFP_LAYOUT_NEED_NOTHING=1 -DNAN_STATIC_DEFAULT=1 -DDATA_MAX_NAME_LEN=128"
     for sl_header in SYS_TYPES_H SYS_STAT_H UNISTD_H STRINGS_H GETPWNAM_R PTHREAD_H STDARG_H \
         INTTYPES_H STDINT_H; do
       sl_collectd_config="$sl_collectd_config -DHAVE_$sl_header=1"
     done])
  # System headers to the compiler (-isystem): their warnings are not ours.
  COLLECTD_CPPFLAGS="$sl_collectd_config -isystem $sl_collectd_dir/.. -isystem $sl_collectd_dir -isystem $sl_collectd_dir/daemon"
  AC_SUBST([COLLECTD_CPPFLAGS])
  AC_MSG_CHECKING([for collectd's plugin headers in $sl_collectd_dir])
  sl_saved_cppflags=$CPPFLAGS
  CPPFLAGS="$CPPFLAGS $COLLECTD_CPPFLAGS"
  AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#include "collectd.h"
#include "plugin.h"
#include "utils/common/common.h"
int sl_probe(void);
int sl_probe(void) { return plugin_register_data_set(0) + DATA_MAX_NAME_LEN; }
]])], [AC_MSG_RESULT([yes])], [
    AC_MSG_RESULT([no])
    sl_missing="$sl_missing
  collectd plugin headers: Debian and Ubuntu: collectd-dev; Fedora and EPEL package none: unpack
    a collectd 5.9 to 5.12 source and pass --with-collectd-headers=THAT/src"])
  CPPFLAGS=$sl_saved_cppflags
])

AC_DEFUN([SL_REPORT_MISSING], [
  AS_IF([test -n "$sl_missing"], [AC_MSG_ERROR([these are missing:$sl_missing])])
])
