// SPDX-License-Identifier: ISC
//
// peer_go.go - the conversation with a goroutine for each connection
//
// Usage: peer_go [GREETING REPLY]

package main

import (
	"fmt"
	"net"
	"os"
)

var greeting, reply []byte

func talk(conn net.Conn) {
	defer conn.Close()
	data := make([]byte, 16384)
	if _, err := conn.Write(greeting); err != nil {
		return
	}
	for {
		size, err := conn.Read(data)
		if err != nil {
			return
		}
		answer := data[:size]
		if reply != nil {
			answer = reply
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func main() {
	if len(os.Args) == 3 {
		greeting, reply = []byte(os.Args[1]), []byte(os.Args[2])
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go talk(conn)
	}
}
