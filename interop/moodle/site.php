<?php
// This file is part of Moodle - http://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <http://www.gnu.org/licenses/>.

/**
 * The site as a whole: versions, settings, cron.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

/**
 * Commands about the site.
 */
class site {
    /**
     * What the suite ran against.
     *
     * @param input $in
     * @return array
     */
    public static function versions(input $in): array {
        global $CFG, $DB;
        $plugins = [];
        foreach (['local_mnetd', 'auth_mnetd', 'auth_mnet', 'enrol_mnet', 'block_mnet_hosts', 'mnetservice_enrol', 'portfolio_mahara']
                as $plugin) {
            $installed = get_config($plugin, 'version');
            $folder = \core_component::get_component_directory($plugin);
            $plugins[$plugin] = $folder !== null && is_dir($folder) ? ($installed ?: 'not installed') : null;
        }
        $database = $DB->get_server_info();
        return [
            'release' => $CFG->release,
            'version' => (string)$CFG->version,
            'branch' => (string)$CFG->branch,
            'php' => PHP_VERSION,
            'openssl' => OPENSSL_VERSION_TEXT,
            'database' => $DB->get_dbfamily() . ' ' . $database['version'],
            'wwwroot' => $CFG->wwwroot,
            'dirroot' => $CFG->dirroot,
            'plugins' => $plugins,
        ];
    }

    /**
     * Whether this PHP's OpenSSL can do RC4, without which no MNet message is sealed or opened. Found out by doing it.
     *
     * @param input $in
     * @return array
     */
    public static function rc4(input $in): array {
        $listed = in_array('rc4', array_map('strtolower', openssl_get_cipher_methods()), true);
        $key = openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
        $sealed = null;
        $envelopes = [];
        $opened = null;
        $works = $key !== false
            && @openssl_seal('rc4', $sealed, $envelopes, [openssl_pkey_get_details($key)['key']], 'RC4') !== false
            && @openssl_open($sealed, $opened, $envelopes[0], $key, 'RC4')
            && $opened === 'rc4';
        $errors = [];
        while (($error = openssl_error_string()) !== false) {
            $errors[] = $error;
        }
        return ['works' => $works, 'listed' => $listed, 'openssl' => OPENSSL_VERSION_TEXT, 'errors' => $works ? [] : $errors];
    }

    /**
     * Reads settings: {"names": ["wwwroot", "local_mnetd/userscope"]}.
     *
     * @param input $in
     * @return array
     */
    public static function settings_get(input $in): array {
        $settings = [];
        foreach ($in->list('names') as $name) {
            [$plugin, $key] = self::setting_name((string)$name);
            $value = get_config($plugin, $key);
            $settings[$name] = $value === false ? null : $value;
        }
        return ['settings' => $settings];
    }

    /**
     * Writes settings: {"settings": {"local_mnetd/userscope": "all"}}; null takes one away. Answers what they were before.
     *
     * @param input $in
     * @return array
     */
    public static function settings_set(input $in): array {
        $settings = $in->list('settings');
        $before = self::settings_get(new input(['names' => array_keys($settings)]));
        foreach ($settings as $name => $value) {
            [$plugin, $key] = self::setting_name((string)$name);
            set_config($key, $value, $plugin === 'core' ? null : $plugin);
        }
        return ['before' => $before['settings']];
    }

    /**
     * The MNet host of a wwwroot: {"url": ...}; its id is null where there is none.
     *
     * @param input $in
     * @return array
     */
    public static function host_of(input $in): array {
        global $DB;
        $host = $DB->get_record('mnet_host', ['wwwroot' => $in->text('url')]);
        if (!$host) {
            return ['id' => null];
        }
        $services = $DB->get_records_sql('SELECT s.name, hs.publish, hs.subscribe
                                            FROM {mnet_host2service} hs
                                            JOIN {mnet_service} s ON s.id = hs.serviceid
                                           WHERE hs.hostid = ?', [$host->id]);
        return [
            'id' => (int)$host->id,
            'name' => $host->name,
            'deleted' => (bool)$host->deleted,
            'application' => $DB->get_field('mnet_application', 'name', ['id' => $host->applicationid]),
            'services' => array_map(function ($service) {
                return ['publish' => (bool)$service->publish, 'subscribe' => (bool)$service->subscribe];
            }, $services),
        ];
    }

    /**
     * Changes or reads rows directly, so that no event fires: {"sql": ..., "params": [...]}. What is changed is not told to
     * anybody: that is what nightly reconciliation is for. A SELECT answers its rows; its first column has to be unique.
     *
     * @param input $in
     * @return array
     */
    public static function sql(input $in): array {
        global $DB;
        $sql = $in->text('sql');
        $params = $in->list('params', []);
        if (preg_match('/^\s*select\b/i', $sql)) {
            return ['rows' => array_values($DB->get_records_sql($sql, $params))];
        }
        $DB->execute($sql, $params);
        return [];
    }

    /**
     * Runs Moodle's cron as the system does, in a process of its own: {"task": CLASS} runs one scheduled task only, {"adhoc": CLASS}
     * the waiting ad hoc tasks of a class.
     *
     * @param input $in
     * @return array
     */
    public static function cron(input $in): array {
        $folder = self::cli_folder();
        if ($in->has('task')) {
            $arguments = ["$folder/scheduled_task.php", '--execute=' . $in->text('task')];
        } else if ($in->has('adhoc')) {
            $arguments = ["$folder/adhoc_task.php", '--execute', '--classname=' . $in->text('adhoc')];
        } else {
            $arguments = ["$folder/cron.php"];
        }
        $begin = microtime(true);
        $pipes = [];
        $command = implode(' ', array_map('escapeshellarg', array_merge([PHP_BINARY], $arguments))) . ' 2>&1';
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w']], $pipes);
        if (!$process) {
            throw new \RuntimeException("$command could not be started");
        }
        $output = stream_get_contents($pipes[1]);
        fclose($pipes[1]);
        $status = proc_close($process);
        if ($status !== 0) {
            throw new \RuntimeException("$command ended with status $status: " . substr($output, -4000));
        }
        return ['seconds' => microtime(true) - $begin, 'output' => substr($output, -4000)];
    }

    /**
     * Where admin/cli is: beside config.php, also where the rest has moved to public/.
     *
     * @return string
     */
    public static function cli_folder(): string {
        global $CFG;
        foreach ([$CFG->dirroot, dirname($CFG->dirroot)] as $root) {
            if (is_file("$root/admin/cli/cron.php")) {
                return "$root/admin/cli";
            }
        }
        throw new \RuntimeException("no admin/cli/cron.php in {$CFG->dirroot} or beside it");
    }

    /**
     * Takes “plugin/name” or “name” apart.
     *
     * @param string $name
     * @return string[] plugin ('core' if none) and name
     */
    private static function setting_name(string $name): array {
        $parts = explode('/', $name, 2);
        return count($parts) === 2 ? $parts : ['core', $name];
    }
}
