# SPDX-License-Identifier: ISC
#
# What configure.ac asks of the compiler, the linker and systemd.
# serial 1

# SSD_TRY_CFLAG(VARIABLE, FLAG): append FLAG to VARIABLE if the compiler
# takes it without a word. -Werror makes an ignored flag a refused one.
AC_DEFUN([SSD_TRY_CFLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	ssd_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])
		 AS_VAR_APPEND([$1], [" $2"])],
		[AC_MSG_RESULT([no])])
	CFLAGS=$ssd_saved_cflags
])

# SSD_TRY_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([SSD_TRY_LDFLAG], [
	AC_MSG_CHECKING([whether the linker takes $2])
	ssd_saved_ldflags=$LDFLAGS
	LDFLAGS="$LDFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])
		 AS_VAR_APPEND([$1], [" $2"])],
		[AC_MSG_RESULT([no])])
	LDFLAGS=$ssd_saved_ldflags
])

# SSD_PC_DIR(NAME, MODULE, PC-VARIABLE, WHAT, [DEFAULT]): --with-NAME=DIR. What
# MODULE.pc says, else DEFAULT; without either, or with "no", nothing of the kind
# is installed. Sets NAME and the conditional INSTALL_NAME (in capitals).
AC_DEFUN([SSD_PC_DIR], [
	AC_ARG_WITH([$1],
		[AS_HELP_STRING([--with-$1=DIR],
			[where $4 go, "no" for nowhere @<:@$2.pc@:>@])],
		[], [with_$1=auto])
	AS_CASE([$with_$1],
		[auto|yes], [
			$1=`$PKG_CONFIG --variable=$3 $2 2>/dev/null`
			AS_IF([test -z "$[]$1"], [$1='$5'])
			AS_IF([test "x$with_$1" = xyes && test -z "$[]$1"],
				[AC_MSG_ERROR([--with-$1: $2.pc not found, name the directory])])],
		[no], [$1=],
		[$1=$with_$1])
	AC_SUBST([$1])
	AM_CONDITIONAL([INSTALL_]m4_toupper([$1]), [test -n "$[]$1"])
])

# SSD_SYSTEMD_DIR(NAME, PC-VARIABLE, WHAT): the same, asked of systemd.pc.
AC_DEFUN([SSD_SYSTEMD_DIR], [SSD_PC_DIR([$1], [systemd], [$2], [$3])])

# SSD_EXPAND(VARIABLE, DIR-EXPRESSION): a directory with ${prefix} and the
# like replaced, for people to read.
AC_DEFUN([SSD_EXPAND], [
	$1=`test "x$prefix" = xNONE && prefix=$ac_default_prefix
		test "x$exec_prefix" = xNONE && exec_prefix=$prefix
		ssd_dir=$2
		while :; do
			eval "ssd_next=\"$ssd_dir\""
			test "x$ssd_next" = "x$ssd_dir" && break
			ssd_dir=$ssd_next
		done
		printf '%s' "$ssd_dir"`
])
