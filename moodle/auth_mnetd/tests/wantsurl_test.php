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
 * Places.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A place is on the site, or it is none.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\wantsurl
 */
final class wantsurl_test extends \basic_testcase {
    /**
     * Addresses and the place they mean.
     *
     * @return array
     */
    public static function addresses(): array {
        $site = 'https://school.example/moodle';
        return [
            'nothing' => ['', $site, '/'],
            'the site itself' => [$site, $site, '/'],
            'its front page' => ["$site/", $site, '/'],
            'a page' => ['/course/view.php?id=2#section-1', $site, '/course/view.php?id=2#section-1'],
            'a full address' => ["$site/my/?a=b", $site, '/my/?a=b'],
            'a question' => ['?redirect=0', $site, '/?redirect=0'],
            'a full address with a question' => ["$site?redirect=0", $site, '/?redirect=0'],
            'an address within a question' => ['/go?to=https://evil.example/', $site, '/go?to=https://evil.example/'],
            'dots in a name' => ['/a..b/.c/d.', $site, '/a..b/.c/d.'],
            'another site' => ['https://evil.example/', $site, null],
            'one that begins alike' => ['https://school.example/moodle.evil.example/', $site, null],
            'the host beside the path' => ['https://school.example/other', $site, null],
            'a host without a scheme' => ['//evil.example/', $site, null],
            'the same with a backslash' => ['/\\evil.example', $site, null],
            'a backslash further on' => ['/a\\..\\b', $site, null],
            'a script' => ['javascript:alert(1)', $site, null],
            'no slash' => ['course/view.php', $site, null],
            'a user name before the host' => ['@evil.example', $site, null],
            'a port after the host' => [':8080/', $site, null],
            'a domain after the host' => ['.evil.example', $site, null],
            'upwards' => ['/../other', $site, null],
            'upwards at the end' => ['/a/..', $site, null],
            'upwards, encoded' => ['/%2e%2E/other', $site, null],
            'a line end' => ["/a\r\nSet-Cookie: b=c", $site, null],
            'a tab' => ["/\t/evil.example", $site, null],
            'too long' => ['/' . str_repeat('a', 2000), $site, null],
            'as long as can be' => ['/' . str_repeat('a', 1999), $site, '/' . str_repeat('a', 1999)],
        ];
    }

    /**
     * A place is on the site, or it is none.
     *
     * @dataProvider addresses
     * @param string $raw
     * @param string $site
     * @param string|null $place
     */
    public function test_a_place_is_on_the_site_or_none(string $raw, string $site, ?string $place): void {
        $this->assertSame($place, wantsurl::on($raw, $site));
    }
}
