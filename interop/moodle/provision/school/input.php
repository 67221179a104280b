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
 * What a command was given.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

/**
 * The members of a command's JSON object, each asked for by name and type.
 */
class input {
    /** @var array as it came */
    private $members;

    /**
     * Takes the parsed object.
     *
     * @param array $members
     */
    public function __construct(array $members) {
        $this->members = $members;
    }

    /**
     * Whether a member is there and not null.
     *
     * @param string $name
     * @return bool
     */
    public function has(string $name): bool {
        return isset($this->members[$name]);
    }

    /**
     * A text.
     *
     * @param string $name
     * @param string|null $default without one the member has to be there
     * @return string
     */
    public function text(string $name, ?string $default = null): string {
        $value = $this->value($name, $default);
        if (!is_string($value) && !is_int($value)) {
            throw new \InvalidArgumentException("“{$name}” has to be a text");
        }
        return (string)$value;
    }

    /**
     * A whole number.
     *
     * @param string $name
     * @param int|null $default without one the member has to be there
     * @return int
     */
    public function int(string $name, ?int $default = null): int {
        $value = $this->value($name, $default);
        if (is_string($value) && preg_match('/^-?\d{1,18}$/', $value)) {
            return (int)$value;
        }
        if (!is_int($value)) {
            throw new \InvalidArgumentException("“{$name}” has to be a whole number");
        }
        return $value;
    }

    /**
     * A number.
     *
     * @param string $name
     * @return float
     */
    public function number(string $name): float {
        $value = $this->value($name, null);
        if (!is_numeric($value)) {
            throw new \InvalidArgumentException("“{$name}” has to be a number");
        }
        return (float)$value;
    }

    /**
     * Yes or no.
     *
     * @param string $name
     * @param bool|null $default without one the member has to be there
     * @return bool
     */
    public function bool(string $name, ?bool $default = null): bool {
        $value = $this->value($name, $default);
        if (!is_bool($value)) {
            throw new \InvalidArgumentException("“{$name}” has to be true or false");
        }
        return $value;
    }

    /**
     * A list or an object.
     *
     * @param string $name
     * @param array|null $default without one the member has to be there
     * @return array
     */
    public function list(string $name, ?array $default = null): array {
        $value = $this->value($name, $default);
        if (!is_array($value)) {
            throw new \InvalidArgumentException("“{$name}” has to be a list or an object");
        }
        return $value;
    }

    /**
     * All members but those named.
     *
     * @param string[] $names
     * @return array
     */
    public function without(array $names): array {
        return array_diff_key($this->members, array_flip($names));
    }

    /**
     * The member, or the default.
     *
     * @param string $name
     * @param mixed $default
     * @return mixed
     */
    private function value(string $name, $default) {
        if (isset($this->members[$name])) {
            return $this->members[$name];
        }
        if ($default === null) {
            throw new \InvalidArgumentException("“{$name}” is missing");
        }
        return $default;
    }
}
