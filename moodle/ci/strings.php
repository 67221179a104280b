<?php
// The strings of a plugin: those asked for are there, those there are asked for, and they stand in order.

// A word in quotes that something is put behind may be the beginning of a string's name, from this length on.
const SHORTEST_BEGINNING = 4;

/**
 * The faults of a plugin's strings.
 *
 * @param plugin $plugin
 * @return string[]
 */
function string_faults(plugin $plugin): array {
    $file = "lang/en/$plugin->component.php";
    $faults = [];
    $there = [];
    $before = null;
    foreach ($plugin->strings() as [$key, $line]) {
        if (isset($there[$key])) {
            $faults[] = $plugin->fault($file, $line, "'$key' stands here twice");
        } else if ($before !== null && strcmp($before, $key) > 0) {
            $faults[] = $plugin->fault($file, $line, "'$key' belongs before '$before'");
        }
        $before = $key;
        $there[$key] = $line;
    }

    $uses = string_uses($plugin);
    foreach ($uses['keys'] as $key => $where) {
        if (!isset($there[$key])) {
            $faults[] = $plugin->fault($where[0], $where[1], "the string '$key' is asked for, and $file has none");
        }
    }
    foreach ($uses['beginnings'] as $beginning => $where) {
        if (!preg_grep('/^' . preg_quote($beginning, '/') . '/', array_map('strval', array_keys($there)))) {
            $faults[] = $plugin->fault($where[0], $where[1], "strings '{$beginning}…' are asked for, and $file has none");
        }
    }
    foreach ($there as $key => $line) {
        if (!string_is_used((string)$key, $uses)) {
            $faults[] = $plugin->fault($file, $line, "nobody asks for '$key'");
        }
    }
    return $faults;
}

/**
 * Whether a string is asked for: by its key, by the beginning of one, by a word in quotes that may become one, or as the help of one.
 *
 * @param string $key
 * @param array $uses as string_uses returns them
 * @return bool
 */
function string_is_used(string $key, array $uses): bool {
    if (isset($uses['keys'][$key]) || isset($uses['words'][$key])) {
        return true;
    }
    foreach (array_keys($uses['beginnings'] + $uses['openings']) as $beginning) {
        if (strncmp($key, $beginning, strlen($beginning)) === 0) {
            return true;
        }
    }
    return substr($key, -5) === '_help' && string_is_used(substr($key, 0, -5), $uses);
}

/**
 * What strings a plugin asks for.
 *
 * @param plugin $plugin
 * @return array with keys: key => [file, line], beginnings: as keys, for names that are put together in the call;
 *     openings: all words in quotes that something is put behind; words: all words in quotes
 */
function string_uses(plugin $plugin): array {
    $uses = ['keys' => ['pluginname' => ['version.php', 0]], 'beginnings' => [], 'openings' => [], 'words' => []];
    foreach ($plugin->files() as $file) {
        if ($file !== "lang/en/$plugin->component.php") {
            strings_of_code($plugin, $file, $uses);
        }
    }
    foreach ($plugin->files('mustache') as $file) {
        // In a template: {{#str}} key, component, what fills it in {{/str}}.
        preg_match_all('/\{\{#str\}\}\s*([^,{\s]+)\s*,\s*([a-z_]+)/', $plugin->text($file), $found, PREG_SET_ORDER | PREG_OFFSET_CAPTURE);
        foreach ($found as $each) {
            if ($each[2][0] === $plugin->component) {
                $line = substr_count($plugin->text($file), "\n", 0, $each[0][1]) + 1;
                $uses['keys'] += [$each[1][0] => [$file, $line]];
            }
        }
    }
    return $uses;
}

/**
 * Adds what one PHP file asks for.
 *
 * @param plugin $plugin
 * @param string $file
 * @param array $uses
 */
function strings_of_code(plugin $plugin, string $file, array &$uses): void {
    $tokens = $plugin->tokens($file);
    foreach ($tokens as $i => $token) {
        if ($token[0] === T_CONSTANT_ENCAPSED_STRING) {
            $word = literal($token);
            $uses['words'][$word] = true;
            // Moodle asks for these by itself.
            if ($file === 'db/access.php' && strpos($word, $plugin->path() . ':') === 0) {
                $uses['keys'] += [substr($word, strrpos($word, '/') + 1) => [$file, $token[2]]];
            }
            if ($file === 'classes/privacy/provider.php' && preg_match('/^privacy:[a-z_:]+$/', $word)
                    && ($tokens[$i + 1][1] ?? '') !== '.') {
                $uses['keys'] += [$word => [$file, $token[2]]];
            }
            if ($file === 'db/mnet.php' && ($tokens[$i + 2][1] ?? '') === '[' && ($tokens[$i + 3][1] ?? '') === "'apiversion'") {
                $uses['keys'] += ["{$word}_name" => [$file, $token[2]], "{$word}_description" => [$file, $token[2]]];
            }
            if (($tokens[$i + 1][1] ?? '') === '.' && strlen($word) >= SHORTEST_BEGINNING) {
                $uses['openings'][$word] = true;
            }
        }
        if ($token[0] === T_ENCAPSED_AND_WHITESPACE && ($tokens[$i - 1][1] ?? '') === '"' && strlen($token[1]) >= SHORTEST_BEGINNING) {
            $uses['openings'][$token[1]] = true;
        }
        if ($token[0] === T_STRING && in_array($token[1], ['get_string', 'lang_string', 'moodle_exception'], true)
                && ($tokens[$i + 1][1] ?? '') === '(') {
            string_of_call($plugin, $file, $tokens, $i + 2, $uses);
        }
    }
}

/**
 * Adds what one call asks for, if that is a string of the plugin: get_string('key', 'component'), get_string('beginning' . $rest, 'component').
 *
 * @param plugin $plugin
 * @param string $file
 * @param array[] $tokens
 * @param int $at where its first argument begins
 * @param array $uses
 */
function string_of_call(plugin $plugin, string $file, array $tokens, int $at, array &$uses): void {
    [$first, $at] = argument($tokens, $at);
    [$second, ] = argument($tokens, $at + 1);
    if (count($second) !== 1 || $second[0][0] !== T_CONSTANT_ENCAPSED_STRING || literal($second[0]) !== $plugin->component) {
        return;
    }
    if (($first[0][0] ?? null) !== T_CONSTANT_ENCAPSED_STRING) {
        // A name that a variable holds. Whatever it may be stands in quotes somewhere.
        return;
    }
    $where = [$file, $first[0][2]];
    if (count($first) === 1) {
        $uses['keys'] += [literal($first[0]) => $where];
    } else if ($first[1][1] === '.') {
        $uses['beginnings'] += [literal($first[0]) => $where];
    }
}

/**
 * One argument of a call.
 *
 * @param array[] $tokens
 * @param int $at where it begins
 * @return array of its tokens, and the place of the comma or bracket behind it
 */
function argument(array $tokens, int $at): array {
    $own = [];
    for ($depth = 0; isset($tokens[$at]); $at++) {
        $text = $tokens[$at][1];
        if ($depth === 0 && in_array($text, [',', ')'], true)) {
            break;
        }
        $depth += in_array($text, ['(', '[', '{'], true) <=> in_array($text, [')', ']', '}'], true);
        $own[] = $tokens[$at];
    }
    return [$own, $at];
}
