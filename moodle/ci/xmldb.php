<?php
// A plugin's db/install.xml: what Moodle's XMLDB demands of it, from 4.1 on.

// Until Moodle 4.2: 28 and 30 characters (the limits of Oracle, less a prefix).
const LONGEST_TABLE_NAME = 28;
const LONGEST_FIELD_NAME = 30;
const FIELD_TYPES = ['int', 'number', 'float', 'char', 'text', 'binary'];

/**
 * The faults of a plugin's db/install.xml; none where there is none.
 *
 * @param plugin $plugin
 * @return string[]
 */
function xmldb_faults(plugin $plugin): array {
    $file = 'db/install.xml';
    if (!is_file("$plugin->folder/$file")) {
        return [];
    }
    libxml_use_internal_errors(true);
    libxml_clear_errors();
    $document = new DOMDocument();
    if (!$document->loadXML($plugin->text($file))) {
        $error = libxml_get_last_error();
        return [$plugin->fault($file, $error->line, 'is no well-formed XML: ' . trim($error->message))];
    }
    $faults = [];
    $tell = function (DOMElement $where, string $what) use (&$faults, $plugin, $file) {
        $faults[] = $plugin->fault($file, $where->getLineNo(), $what);
    };
    $root = $document->documentElement;
    if ($root->tagName !== 'XMLDB') {
        $tell($root, 'the outermost element is XMLDB');
    }
    if ($root->getAttribute('PATH') !== $plugin->path() . '/db') {
        $tell($root, 'PATH is ' . $plugin->path() . '/db');
    }
    if (!preg_match('/^20\d{6}(\d\d)?$/', $root->getAttribute('VERSION'))) {
        $tell($root, 'VERSION is a date, such as 20261125, with two digits more if need be');
    }
    $names = [];
    foreach ($document->getElementsByTagName('TABLE') as $table) {
        $name = $table->getAttribute('NAME');
        if (isset($names[$name])) {
            $tell($table, "the table $name stands here twice");
        }
        $names[$name] = true;
        xmldb_table($plugin, $table, $tell);
    }
    return $faults;
}

/**
 * Tells the faults of one table.
 *
 * @param plugin $plugin
 * @param DOMElement $table
 * @param callable $tell
 */
function xmldb_table(plugin $plugin, DOMElement $table, callable $tell): void {
    $name = $table->getAttribute('NAME');
    if (strpos($name . '_', $plugin->component . '_') !== 0 || !preg_match('/^[a-z][a-z0-9_]*$/', $name)) {
        $tell($table, "the name of table $name begins with $plugin->component, in small letters");
    }
    if (strlen($name) > LONGEST_TABLE_NAME) {
        $tell($table, "the name of table $name has " . strlen($name) . ' characters; ' . LONGEST_TABLE_NAME . ' is the most');
    }
    $fields = [];
    foreach ($table->getElementsByTagName('FIELD') as $field) {
        xmldb_field($table, $field, $tell);
        if (isset($fields[$field->getAttribute('NAME')])) {
            $tell($field, "$name has the field " . $field->getAttribute('NAME') . ' twice');
        }
        $fields[$field->getAttribute('NAME')] = $field;
    }
    $primary = false;
    foreach (['KEY', 'INDEX'] as $kind) {
        foreach ($table->getElementsByTagName($kind) as $index) {
            foreach (preg_split('/\s*,\s*/', $index->getAttribute('FIELDS')) as $field) {
                if (!isset($fields[$field])) {
                    $tell($index, "$name has no field '$field'");
                } else if (in_array($fields[$field]->getAttribute('TYPE'), ['text', 'binary'], true)) {
                    $tell($index, "no key or index on $name.$field: databases differ about " . $fields[$field]->getAttribute('TYPE'));
                }
            }
            $primary = $primary || ($index->getAttribute('TYPE') === 'primary' && $index->getAttribute('FIELDS') === 'id');
        }
    }
    if (!$primary || !isset($fields['id']) || $fields['id']->getAttribute('SEQUENCE') !== 'true') {
        $tell($table, "$name needs a field id with SEQUENCE and a primary key on it");
    }
}

/**
 * Tells the faults of one field.
 *
 * @param DOMElement $table
 * @param DOMElement $field
 * @param callable $tell
 */
function xmldb_field(DOMElement $table, DOMElement $field, callable $tell): void {
    $name = $table->getAttribute('NAME') . '.' . $field->getAttribute('NAME');
    if (!preg_match('/^[a-z][a-z0-9_]*$/', $field->getAttribute('NAME')) || strlen($field->getAttribute('NAME')) > LONGEST_FIELD_NAME) {
        $tell($field, "$name: small letters, digits and _, at most " . LONGEST_FIELD_NAME . ' of them');
    }
    $type = $field->getAttribute('TYPE');
    if (!in_array($type, FIELD_TYPES, true)) {
        $tell($field, "$name has the TYPE '$type'; expected one of " . implode(', ', FIELD_TYPES));
    }
    $most = ['int' => 20, 'char' => 1333][$type] ?? null;
    $length = $field->getAttribute('LENGTH');
    if ($most && !(ctype_digit($length) && $length >= 1 && $length <= $most)) {
        $tell($field, "$name has the LENGTH '$length'; expected 1 to $most");
    }
    foreach (['NOTNULL', 'SEQUENCE'] as $switch) {
        if (!in_array($field->getAttribute($switch), ['true', 'false'], true)) {
            $tell($field, "$name needs $switch, true or false");
        }
    }
    if (in_array($type, ['text', 'binary'], true) && $field->hasAttribute('DEFAULT')) {
        $tell($field, "$name is $type, which can have no DEFAULT");
    }
    if ($type === 'char' && $field->getAttribute('NOTNULL') === 'true' && $field->getAttribute('DEFAULT') === ''
            && $field->hasAttribute('DEFAULT')) {
        $tell($field, "$name: an empty DEFAULT on NOTNULL is refused by XMLDB");
    }
}
