<?php
// Each PHP file of a plugin: its head, its white space, and words that PHP 7.4 does not know.

// As moodle-cs has it: past this a line is an error. Strings in lang/ may be longer.
const LONGEST_LINE = 180;
// What PHP 8 brought. Classes and attributes that only newer Moodles load are not looked at.
const NEW_FUNCTIONS = [
    'array_all', 'array_any', 'array_find', 'array_find_key', 'array_is_list', 'fdiv', 'get_debug_type', 'get_resource_id',
    'json_validate', 'mb_str_pad', 'mb_trim', 'str_contains', 'str_ends_with', 'str_starts_with',
];

/**
 * The faults of a plugin's PHP files.
 *
 * @param plugin $plugin
 * @return string[]
 */
function file_faults(plugin $plugin): array {
    $faults = [];
    foreach ($plugin->files() as $file) {
        foreach (array_merge(head_faults($plugin, $file), white_space_faults($plugin, $file), new_words($plugin, $file)) as [$line, $what]) {
            $faults[] = $plugin->fault($file, $line, $what);
        }
    }
    return $faults;
}

/**
 * What its head lacks.
 *
 * @param plugin $plugin
 * @param string $file
 * @return array[] of [line, what]
 */
function head_faults(plugin $plugin, string $file): array {
    $text = $plugin->text($file);
    $faults = [];
    if (strpos($text, "<?php\n// This file is part of Moodle - ") !== 0) {
        $faults[] = [1, 'begins with "<?php" and Moodle\'s notice about its licence'];
    }
    if (!preg_match('/^ \* @package +(\S+)$/m', $text, $package)) {
        $faults[] = [1, 'says no @package'];
    } else if ($package[1] !== $plugin->component) {
        $faults[] = [1, "says @package $package[1]; this is $plugin->component"];
    }
    if (!preg_match('/^ \* @copyright +\S/m', $text)) {
        $faults[] = [1, 'says no @copyright'];
    }
    if (!preg_match('~^ \* @license +https?://www\.gnu\.org/copyleft/gpl\.html GNU GPL v3 or later$~m', $text)) {
        $faults[] = [1, 'says no @license, GNU GPL v3 or later with its address'];
    }
    return $faults;
}

/**
 * Where its white space is not as Moodle has it.
 *
 * @param plugin $plugin
 * @param string $file
 * @return array[] of [line, what]
 */
function white_space_faults(plugin $plugin, string $file): array {
    $text = $plugin->text($file);
    $faults = [];
    foreach (explode("\n", $text) as $i => $line) {
        if (preg_match('/[ \t\r]$/', $line)) {
            $faults[] = [$i + 1, 'ends in white space'];
        }
        if (strpos($line, "\t") !== false) {
            $faults[] = [$i + 1, 'has a tab'];
        }
        $length = preg_match_all('/./us', $line);
        if ($length === false) {
            $faults[] = [$i + 1, 'is not UTF-8'];
        } else if ($length > LONGEST_LINE && strpos($file, 'lang/') !== 0) {
            $faults[] = [$i + 1, "has $length characters; " . LONGEST_LINE . ' is the most'];
        }
    }
    if (substr($text, -1) !== "\n" || substr($text, -2) === "\n\n") {
        $faults[] = [0, 'ends with one line feed'];
    }
    foreach ($plugin->tokens($file) as $token) {
        if ($token[0] === T_CLOSE_TAG && trim(substr($text, strrpos($text, '?>') + 2)) === '') {
            $faults[] = [$token[2], 'has a closing tag'];
        }
    }
    return $faults;
}

/**
 * Where it says what PHP 7.4 does not understand.
 *
 * @param plugin $plugin
 * @param string $file
 * @return array[] of [line, what]
 */
function new_words(plugin $plugin, string $file): array {
    $faults = [];
    $tokens = $plugin->tokens($file);
    $before = null;
    foreach ($tokens as $i => $token) {
        [$kind, $text, $line] = $token;
        $next = $tokens[$i + 1][1] ?? '';
        // Each of these is a name of a constant only where this PHP knows it.
        foreach (['T_MATCH', 'T_ENUM', 'T_READONLY', 'T_NULLSAFE_OBJECT_OPERATOR'] as $name) {
            // A method may be called so.
            $word = defined($name) && $kind === constant($name) && !in_array($before, ['function', '->', '::'], true);
            if ($word) {
                $faults[] = [$line, "PHP 7.4 does not know '$text'"];
            }
        }
        $called = $kind === T_STRING && $next === '(' && !in_array($before, ['->', '::', 'function', 'new'], true);
        if ($called && in_array(strtolower($text), NEW_FUNCTIONS, true)) {
            $faults[] = [$line, "PHP 7.4 has no function $text"];
        }
        if ($kind === T_STRING && $text === '__construct' && $before === 'function') {
            [$parameters, ] = parameters($tokens, $i + 2);
            if (array_intersect(array_column($parameters, 0), [T_PUBLIC, T_PROTECTED, T_PRIVATE])) {
                $faults[] = [$line, 'PHP 7.4 does not know constructors that declare properties'];
            }
        }
        if (in_array($kind, [T_FUNCTION, T_FN], true)) {
            $faults = array_merge($faults, new_words_of_signature($tokens, $i));
        }
        if ($kind === T_CATCH) {
            [$caught, ] = parameters($tokens, $i + 2);
            if (!in_array(T_VARIABLE, array_column($caught, 0), true)) {
                $faults[] = [$line, 'PHP 7.4 needs a variable for what is caught'];
            }
        }
        if ($kind === T_THROW && !in_array($before, [';', '{', '}', ')', ':', 'else', null], true)) {
            $faults[] = [$line, "PHP 7.4 knows 'throw' as a statement only"];
        }
        $named = $kind === T_STRING && $next === ':' && in_array($before, ['(', ','], true) && ($tokens[$i + 2][1] ?? '') !== ':';
        if ($named && $text !== 'default') {
            $faults[] = [$line, "PHP 7.4 does not know arguments by name ('$text:')"];
        }
        $before = $text;
    }
    return $faults;
}

/**
 * What PHP 7.4 does not know in what a function takes and returns.
 *
 * @param array[] $tokens
 * @param int $at where the word function stands
 * @return array[] of [line, what]
 */
function new_words_of_signature(array $tokens, int $at): array {
    while (isset($tokens[$at]) && $tokens[$at][1] !== '(') {
        $at++;
    }
    [$parameters, $end] = parameters($tokens, $at + 1);
    $faults = [];
    $depth = 0;
    $before = '';
    // Behind the equals sign | joins numbers, not types.
    $default = false;
    foreach ($parameters as $token) {
        $depth += in_array($token[1], ['(', '['], true) <=> in_array($token[1], [')', ']'], true);
        $default = $depth > 0 ? $default : $token[1] === '=' || ($default && $token[1] !== ',');
        if ($depth === 0 && !$default && in_array($token[1], ['|', 'mixed'], true)) {
            $faults[] = [$token[2], "PHP 7.4 does not know the type '$token[1]'" . ($token[1] === '|' ? ' of several' : '')];
        }
        $before = $token[1];
    }
    if ($before === ',') {
        $faults[] = [end($parameters)[2], 'PHP 7.4 knows no comma behind the last parameter'];
    }
    for ($i = $end + 1; isset($tokens[$i]) && !in_array($tokens[$i][1], ['{', ';', '=>', ',', ')'], true); $i++) {
        if (in_array($tokens[$i][1], ['|', 'static', 'mixed', 'never', 'false', 'null'], true)) {
            $faults[] = [$tokens[$i][2], "PHP 7.4 does not know '{$tokens[$i][1]}' in what a function returns"];
        }
    }
    return $faults;
}

/**
 * What stands in brackets.
 *
 * @param array[] $tokens
 * @param int $at behind the opening one
 * @return array of the tokens, and the place of the closing bracket
 */
function parameters(array $tokens, int $at): array {
    $own = [];
    for ($depth = 0; isset($tokens[$at]); $at++) {
        $depth += in_array($tokens[$at][1], ['(', '['], true) <=> in_array($tokens[$at][1], [')', ']'], true);
        if ($depth < 0) {
            break;
        }
        $own[] = $tokens[$at];
    }
    return [$own, $at];
}
