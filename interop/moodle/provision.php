<?php
// Part of mnetd's interop suite: arranges things inside a Moodle for it, and tells what stands there.
//
//   php provision.php MOODLE-FOLDER SUBCOMMAND < input.json
//
// The input is a JSON value on standard input. One line of JSON comes back: {"answer": …} with exit code 0, or {"error": "…"} with exit code 1.
// Runs on Moodle 4.1 (PHP 7.4) and later, with nothing installed there. For test sites: it makes and deletes users, courses and
// peers, all of them with names that begin with "interop-" or with addresses that the suite names.
//
// The subcommands stand in provision/: each file returns an array of name => function of the decoded input.

define('CLI_SCRIPT', true);

if ($argc !== 3) {
    fwrite(STDERR, "usage: php provision.php MOODLE-FOLDER SUBCOMMAND < input.json\n");
    exit(2);
}
if (!is_readable($argv[1] . '/config.php')) {
    echo json_encode(['error' => $argv[1] . ' holds no config.php that can be read: name the folder of an installed Moodle']), "\n";
    exit(1);
}
require($argv[1] . '/config.php');

/**
 * All subcommands.
 *
 * @return callable[] by name
 */
function interop_subcommands(): array {
    // The files are read as if from here.
    global $CFG;
    $commands = [];
    foreach (glob(__DIR__ . '/provision/*.php') as $file) {
        $commands += require($file);
    }
    return $commands;
}

/**
 * Does what a subcommand says.
 *
 * @param callable[] $commands all there are
 * @param string $name which
 * @param mixed $input for it, as decoded from JSON: objects as stdClass
 * @return mixed its answer
 */
function interop_do(array $commands, string $name, $input) {
    if ($name === 'batch') {
        return array_map(function ($step) use ($commands) {
            return interop_do($commands, $step->do, $step->with);
        }, $input);
    }
    if (!isset($commands[$name])) {
        throw new invalid_argument_exception("there is no subcommand $name; expected one of " . implode(', ', array_keys($commands)));
    }
    return $commands[$name]($input);
}

/**
 * Why something went wrong, in one text.
 *
 * @param Throwable $e what was thrown
 * @return string
 */
function interop_reason(Throwable $e): string {
    $more = $e instanceof moodle_exception && !empty($e->debuginfo) ? ' (' . $e->debuginfo . ')' : '';
    return $e->getMessage() . $more . ' [' . basename($e->getFile()) . ':' . $e->getLine() . ']';
}

class invalid_argument_exception extends InvalidArgumentException {
}

$text = trim(stream_get_contents(STDIN));
$input = json_decode($text === '' ? '{}' : $text);
try {
    if ($input === null && $text !== 'null') {
        throw new invalid_argument_exception('the input is no JSON: ' . json_last_error_msg());
    }
    \core\session\manager::set_user(get_admin());
    // Moodle's own functions print notices now and then; none of them may stand in the line that is read.
    ob_start();
    $answer = interop_do(interop_subcommands(), $argv[2], $input);
    $noise = trim(ob_get_clean());
    if ($noise !== '') {
        fwrite(STDERR, $noise . "\n");
    }
    $line = ['answer' => $answer];
    $code = 0;
} catch (Throwable $e) {
    while (ob_get_level() > 0) {
        fwrite(STDERR, ob_get_clean());
    }
    $line = ['error' => interop_reason($e)];
    $code = 1;
}
echo json_encode($line, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION), "\n";
exit($code);
