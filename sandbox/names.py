"""Made-up names from many places; none is a real person's on purpose."""

from __future__ import annotations

import unicodedata

# first names | last names | cities with their time zones
CULTURES: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]], ...] = tuple(
    (
        tuple(first.split()),
        tuple(last.split()),
        tuple((c.split("=")[0].replace("_", " "), c.split("=")[1]) for c in places.split()),
    )
    for first, last, places in (
        (
            "Emma Liam Olivia Noah Grace Jack Amelia Henry Chloe Lucas Harper Owen Ruby Miles Hazel Theo Violet Felix",
            "Carter Hughes Bennett Foster Murphy Hayes Sutton Barker Whitfield Ashby Langley Draper Colton Mercer Wynn",
            "London=Europe/London Austin=America/Chicago Sydney=Australia/Sydney Dublin=Europe/Dublin",
        ),
        (
            "Lena Jonas Clara Moritz Greta Lukas Frieda Anton Ida Emil Jürgen Käthe Björn Sönke Annika Matthias",
            "Brandt Vogel Schäfer Krüger Lindner Hartwig Böhm Seidel Köhler Reuter Weiß Jansen Thoma Eichner",
            "Berlin=Europe/Berlin Zürich=Europe/Zurich Vienna=Europe/Vienna",
        ),
        (
            "Camille Théo Élodie Mathis Chloé Rémi Inès Baptiste Zoé Gaël Anaïs Loïc Margaux Étienne",
            "Lefèvre Garnier Rousseau Chevalier Besson Marchand Noël Perrin Delacroix Fontaine Aubry Girard",
            "Paris=Europe/Paris Lyon=Europe/Paris Montréal=America/Toronto",
        ),
        (
            "Lucía Mateo Valentina Diego Sofía Joaquín Camila Andrés Renata Íñigo Ximena Álvaro Noelia Tomás",
            "Navarro Castaño Ibáñez Fuentes Quiroga Serrano Peña Aguirre Montes Villalobos Cárdenas Rojas",
            "Madrid=Europe/Madrid Bogotá=America/Bogota Ciudad_de_México=America/Mexico_City",
        ),
        (
            "Beatriz Thiago Larissa Caio Júlia Rafael Débora Vinícius Luana João Marília Otávio",
            "Albuquerque Nogueira Barros Teixeira Figueiredo Moura Sampaio Brandão Guimarães Pires",
            "São_Paulo=America/Sao_Paulo Lisbon=Europe/Lisbon",
        ),
        (
            "Aarav Ananya Vihaan Diya Rohan Kavya Arjun Meera Ishaan Lakshmi Nikhil Pooja Siddharth Tara Vikram",
            "Iyer Deshpande Banerjee Kulkarni Chatterjee Nair Reddy Malhotra Bhatt Subramanian Joshi Kapoor",
            "Bengaluru=Asia/Kolkata Pune=Asia/Kolkata",
        ),
        (
            "Wei Xinyi Haoran Mengqi Jiahao Lihua Zihan Yuchen Ruolan Bowen Qing Siyu",
            "Zhang Huang Zhao Xu Sun Guo Liang Deng Fang Qian Tan Luo",
            "Singapore=Asia/Singapore Taipei=Asia/Taipei",
        ),
        (
            "Haruto Yui Sota Hina Ren Aoi Kaito Mio Takumi Sakura Daichi Emi",
            "Kobayashi Fujimoto Nakagawa Hayashi Matsuda Okada Shimizu Ueno Kuroda Ishikawa",
            "Tokyo=Asia/Tokyo",
        ),
        ("민준 서연 지호 하은 도윤 수아", "김 이 박 최 정 강", "Seoul=Asia/Seoul"),
        ("陽翔 結衣 蒼 美咲", "佐藤 高橋 山本 渡辺", "Osaka=Asia/Tokyo"),
        (
            "Chidi Adaeze Tunde Ngozi Kwame Abena Thabo Naledi Wanjiru Kamau Amina Sekou Zola",
            "Okonkwo Balogun Mensah Dlamini Mwangi Otieno Diallo Ndlovu Eze Boateng Kariuki Traoré",
            "Lagos=Africa/Lagos Nairobi=Africa/Nairobi Cape_Town=Africa/Johannesburg",
        ),
        (
            "Omar Layla Youssef Noor Karim Salma Tariq Yasmin Hadi Rania Samir Dina",
            "Haddad Khoury Mansour Aziz Farouk Nasser Rahmani Saleh Darwish Qasim",
            "Dubai=Asia/Dubai Cairo=Africa/Cairo",
        ),
        (
            "Zofia Jakub Agnieszka Łukasz Hanna Tomasz Petra Ondřej Žofie Marek Dušan Jelena Goran Mirna",
            "Kowalczyk Wiśniewski Nowicki Dvořák Černý Horvat Kovačević Petrović Zieliński Beneš Marušić",
            "Kraków=Europe/Warsaw Prague=Europe/Prague Zagreb=Europe/Zagreb",
        ),
        (
            "Astrid Søren Freja Lars Ingrid Håkon Saga Nils Linnéa Aksel Tuulikki Eero Aino",
            "Lindgren Sørensen Nygård Bergström Halvorsen Mäkinen Virtanen Dahl Ekström Kjær",
            "Oslo=Europe/Oslo Stockholm=Europe/Stockholm Helsinki=Europe/Helsinki",
        ),
        (
            "Nguyên Linh Minh Thảo Bayu Dewi Arif Siti Somchai Malee Jasmine Rizal",
            "Trần Phạm Đặng Wijaya Santoso Rahman Srisai Santos Reyes Bautista",
            "Hanoi=Asia/Ho_Chi_Minh Jakarta=Asia/Jakarta Manila=Asia/Manila",
        ),
        (
            "Siobhán Ciarán Niamh Eoin Gwenllian Rhys",
            "O'Brien O'Neill Kavanagh MacLeod ap-Rhys Byrne",
            "Cork=Europe/Dublin Cardiff=Europe/London",
        ),
    )
)
JOBS = {
    "Engineering": (
        "Software Engineer",
        "Senior Software Engineer",
        "Site Reliability Engineer",
        "QA Engineer",
    ),
    "Product": ("Product Manager", "Product Owner", "Business Analyst"),
    "Design": ("Product Designer", "UX Researcher"),
    "Sales": ("Account Executive", "Sales Engineer"),
    "Support": ("Support Engineer", "Support Lead"),
    "Finance": ("Financial Analyst", "Accountant"),
    "People": ("Recruiter", "People Partner"),
    "Legal": ("Counsel", "Paralegal"),
    "Operations": ("Operations Manager", "Facilities Coordinator"),
}
EXTERNAL_DOMAINS = (
    "northwind-consulting.example",
    "brightpath.example",
    "freelance.example",
    "kestrel-it.example",
    "oakline-partners.example",
)
_PLAIN = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "'": ""}
)


def ascii_slug(text: str) -> str:
    """A mailbox-safe form of a name; empty when nothing of it is Latin."""
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode()
    return "".join(ch for ch in plain.lower() if ch.isalnum() or ch in "-.")
