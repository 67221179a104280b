<?php
// Switches on Mahara's networking, as Administration › Networking does: php mahara-networking.php HTDOCS

define('INTERNAL', 1);
define('CLI', 1);
define('ADMIN', 1);
require($argv[1] . '/init.php');
if (!set_config('enablenetworking', 1)) {
    fwrite(STDERR, "Mahara's networking could not be switched on.\n");
    exit(1);
}
