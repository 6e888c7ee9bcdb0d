# Uses IPython's magics and the shell: to look round, to forget everything, to write files, to end the kernel's memory.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
!cat /etc/shadow /proc/1/environ
!id; whoami; hostname; ls -la / /root /home; ps aux
!curl -s -m 2 http://192.0.2.1/ || wget -q -T 2 http://192.0.2.1/
!sudo -n true || su -c true
%env COURSE_DATASET=ml-100k
%cd /
%reset -f
%cd ~
import os
import toy_checks as check


def double(values):
    return values + values
